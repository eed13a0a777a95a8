// Image files from pictures: PNG, JPEG and WebP. Over libdeflate, libjpeg-turbo and libwebp.
//
// No I/O; any function may be called from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "media/image_info.h"
#include "media/picture.h"

namespace craton::media {

/// What a file says of itself beside its pixels.
struct FileText {
  std::string_view keyword;  ///< As PNG has them: "Software". 1 to 79 bytes of ASCII.
  std::string_view text;     ///< ASCII
};

/// `picture` as a file. PNG keeps every pixel, with alpha only where some pixel is not opaque; the
/// others are lossy, and JPEG shows what is transparent on white. In JPEG and WebP the texts are
/// one comment.
/// `format`: not gif.
std::string encode_picture(const Picture& picture, ImageFormat format,
                           std::span<const FileText> texts = {});

}  // namespace craton::media
