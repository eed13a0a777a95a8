#include "families/data_uri.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/base64.h"
#include "conversation/openai_words.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view scheme = "data:";
constexpr std::string_view coding = ";base64";

Error refusal(std::string_view at, std::string_view what) {
  return violation(std::string(at) + ": " + std::string(what));
}

}  // namespace

Result<ImageBlock> image_of_data_uri(std::string_view uri, std::string_view at) {
  const std::size_t comma = uri.find(',');
  if (!uri.starts_with(scheme) || comma == uri.npos) {
    return refusal(at, "expected a data URI, data:image/png;base64,...; images are not fetched");
  }
  std::string_view type = uri.substr(scheme.size(), comma - scheme.size());
  if (!type.ends_with(coding)) return refusal(at, "expected a data URI in base64");
  type.remove_suffix(coding.size());
  const auto row = std::ranges::find(openai::image_types, type, &openai::ImageType::media_type);
  if (row == openai::image_types.end()) {
    return refusal(at, "expected an image of type image/png, image/jpeg, image/gif or image/webp");
  }
  std::optional<std::string> bytes = base64_bytes(uri.substr(comma + 1));
  if (!bytes || bytes->empty()) return refusal(at, "the image is not valid base64");
  return ImageBlock{std::string(row->format), *std::move(bytes)};
}

}  // namespace craton::families
