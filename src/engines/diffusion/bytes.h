// Little-endian numbers and counted bytes, taken off the front of bytes that nobody has vouched
// for.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace craton::engines::diffusion {

/// Every function gives nothing, and takes nothing, where there are not bytes enough.
class Bytes {
 public:
  explicit Bytes(std::string_view left) : left_(left) {}

  std::size_t left() const { return left_.size(); }

  /// `size`: 1 to 8 bytes.
  std::optional<std::uint64_t> number(std::size_t size) {
    const auto bytes = take(size);
    if (!bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>((*bytes)[i]);
    }
    return value;
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

}  // namespace craton::engines::diffusion
