#include "engines/diffusion/weights_file.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <utility>

#include "base/json.h"
#include "engines/diffusion/bytes.h"

namespace craton::engines::diffusion {
namespace {

// Models that draw have thousands of tensors at most and no vocabulary in front of their names.
constexpr std::size_t head_max = 2 << 20;
constexpr std::uint64_t tensors_max = 65'536;

constexpr std::uint32_t type_string = 8;
constexpr std::uint32_t type_array = 9;
// Bytes of a value, by the code of its type; 0: a string or an array.
constexpr std::array<std::size_t, 13> value_bytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// What a tensor's name has in it, in the order in which they decide. A file of what denoises alone
// may leave "model.diffusion_model." out.
// Source: ModelLoader::get_sd_version() of stable-diffusion.cpp.
constexpr std::array<std::pair<std::string_view, WeightsKind>, 6> signs{{
    {"distilled_guidance_layer.", WeightsKind::flow},  // Chroma: Flux's layers without its guidance
    {"double_blocks.0.", WeightsKind::distilled},
    {"joint_blocks.0.", WeightsKind::flow},
    {"diffusion_model.input_blocks.0.", WeightsKind::unet},
    {"input_blocks.0.0.weight", WeightsKind::unet},
    {"unet.conv_in.", WeightsKind::unet},
}};

/// The first sign that any of the names so far has.
class Judge {
 public:
  void see(std::string_view name) {
    for (std::size_t i = 0; i < found_; ++i) {
      if (name.find(signs[i].first) != name.npos) found_ = i;
    }
  }
  WeightsKind kind() const {
    return found_ < signs.size() ? signs[found_].second : WeightsKind::other;
  }

 private:
  std::size_t found_ = signs.size();
};

std::optional<std::string_view> text(Bytes& bytes) {
  const auto size = bytes.number(8);
  return size ? bytes.take(*size) : std::nullopt;
}

bool skip_value(Bytes& bytes, std::uint64_t type) {
  if (type == type_string) return text(bytes).has_value();
  if (type != type_array) {
    return type < value_bytes.size() && bytes.take(value_bytes[type]).has_value();
  }
  const auto element = bytes.number(4);
  const auto count = bytes.number(8);
  if (!element || !count || *element == type_array || *element >= value_bytes.size()) return false;
  if (*element != type_string) {
    const std::size_t each = value_bytes[*element];
    return *count <= bytes.left() / each && bytes.take(*count * each).has_value();
  }
  for (std::uint64_t i = 0; i < *count; ++i) {
    if (!text(bytes)) return false;
  }
  return true;
}

/// As far as the head reaches.
WeightsKind kind_of_gguf(Bytes bytes) {
  Judge judge;
  bytes.take(4);  // the version
  const std::uint64_t tensors = std::min(bytes.number(8).value_or(0), tensors_max);
  const std::uint64_t keys = bytes.number(8).value_or(0);
  for (std::uint64_t i = 0; i < keys; ++i) {
    const auto key = text(bytes);
    const auto type = bytes.number(4);
    if (!key || !type || !skip_value(bytes, *type)) return WeightsKind::other;
  }
  for (std::uint64_t i = 0; i < tensors; ++i) {
    const auto name = text(bytes);
    const std::uint64_t dimensions = bytes.number(4).value_or(0);
    const bool whole = dimensions <= 4 && bytes.take(8 * dimensions + 4 + 8);
    if (!name || !whole) break;
    judge.see(*name);
  }
  return judge.kind();
}

WeightsKind kind_of_safetensors(std::string_view head) {
  const Result<json::value> header = json::parse(head);
  if (!header || !header->is_object()) return WeightsKind::other;
  Judge judge;
  for (const auto& row : header->get_object()) judge.see(row.key());
  return judge.kind();
}

}  // namespace

WeightsKind kind_of_head(std::string_view head) {
  Bytes bytes(head);
  if (head.starts_with("GGUF")) {
    bytes.take(4);
    return kind_of_gguf(bytes);
  }
  const auto size = bytes.number(8);
  const auto header = size ? bytes.take(*size) : std::nullopt;
  return header ? kind_of_safetensors(*header) : WeightsKind::other;
}

WeightsKind kind_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(head_max, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return kind_of_head(head);
}

}  // namespace craton::engines::diffusion
