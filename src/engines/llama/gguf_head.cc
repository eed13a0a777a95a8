#include "engines/llama/gguf_head.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace craton::engines::llama {
namespace {

constexpr std::uint32_t type_string = 8;
// Bytes of a value, by the code of its type; 0: a string or an array.
constexpr std::array<std::size_t, 13> value_bytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/// Takes values off the front of some bytes.
class Bytes {
 public:
  explicit Bytes(std::string_view left) : left_(left) {}

  std::optional<std::uint64_t> number(std::size_t size) {
    const auto bytes = take(size);
    if (!bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>((*bytes)[i]);
    }
    return value;
  }

  std::optional<std::string_view> text() {
    const auto size = number(8);
    return size ? take(*size) : std::nullopt;
  }

  std::optional<std::string_view> take(std::uint64_t size) {
    if (size > left_.size()) return std::nullopt;
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view left_;
};

}  // namespace

bool says_encoder(std::string_view head) {
  Bytes bytes(head);
  if (bytes.take(4) != "GGUF" || !bytes.take(4 + 8)) return false;
  const std::uint64_t keys = bytes.number(8).value_or(0);
  for (std::uint64_t i = 0; i < keys; ++i) {
    const auto key = bytes.text();
    const auto type = bytes.number(4);
    if (!key || !type) return false;
    if (*type == type_string) {
      if (!bytes.text()) return false;
      continue;
    }
    const std::size_t size = *type < value_bytes.size() ? value_bytes[*type] : 0;
    const auto value = size > 0 ? bytes.number(size) : std::nullopt;
    if (!value) return false;
    if (key->ends_with(".pooling_type")) return *value != 0;
  }
  return false;
}

}  // namespace craton::engines::llama
