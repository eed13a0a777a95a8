// What an image is, read from its header alone: format, width and height.
//
// Nothing is decoded: an image that this accepts may still be broken further on.
//
// No I/O, no globals.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace craton::media {

/// The formats that Bedrock takes (ImageFormat).
enum class ImageFormat { png, jpeg, gif, webp };

struct ImageInfo {
  ImageFormat format;
  std::uint32_t width;  ///< Pixels, at least 1
  std::uint32_t height;

  friend bool operator==(const ImageInfo&, const ImageInfo&) = default;
};

/// As Bedrock writes it: "png", "jpeg", "gif", "webp".
std::string_view name_of(ImageFormat format);

/// The other way round; lower case only, and "jpg" is none.
std::optional<ImageFormat> image_format_of(std::string_view name);

/// What the first bytes say; nullopt for anything else.
std::optional<ImageFormat> sniff_image_format(std::string_view bytes);

/// Fails with `validation` when `bytes` are none of the formats or end before width and height.
Result<ImageInfo> image_info(std::string_view bytes);

}  // namespace craton::media
