#include "media/image_rules.h"

#include <fmt/core.h>

#include <algorithm>

namespace craton::media {
namespace {

std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

}  // namespace

Result<void> check_image_count(std::string_view place, const FileCounts& counts) {
  if (counts.images <= images_max) return {};
  return Error{ErrorCode::validation,
               fmt::format("{}: too many images and documents: {} + {} > {}", place, counts.images,
                           counts.documents, images_max)};
}

Result<void> check_image_size(std::string_view place, std::size_t bytes) {
  const std::size_t size = base64_size(bytes);
  if (size <= image_base64_bytes_max) return {};
  return Error{ErrorCode::validation,
               fmt::format("{}: image exceeds 5 MB maximum: {} bytes > {} bytes", place, size,
                           image_base64_bytes_max)};
}

Result<void> check_image_dimensions(std::string_view place, const ImageInfo& image) {
  if (std::max(image.width, image.height) <= image_side_max) return {};
  return Error{
      ErrorCode::validation,
      fmt::format("{}: At least one of the image dimensions exceed max allowed size: {} pixels",
                  place, image_side_max)};
}

Result<void> check_image_format(std::string_view place, ImageFormat said, ImageFormat found) {
  if (said == found) return {};
  return Error{
      ErrorCode::validation,
      fmt::format("{}: The image was specified using the image/{} media type, but the image "
                  "appears to be a image/{} image",
                  place, name_of(said), name_of(found))};
}

Result<ImageInfo> check_image(const GivenImage& image) {
  CRATON_TRY(check_image_size(image.place, image.bytes.size()));
  const std::string inside = image.place + std::string(image.inside);
  const Result<ImageInfo> info = image_info(image.bytes);
  if (!info)
    return Error{ErrorCode::validation, fmt::format("{}: Could not process image", inside)};
  if (image.said) CRATON_TRY(check_image_format(image.place, *image.said, info->format));
  CRATON_TRY(check_image_dimensions(inside, *info));
  return *info;
}

}  // namespace craton::media
