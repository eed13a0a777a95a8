// Pictures from image files that anybody sent: PNG, JPEG and WebP.
//
// A small file can be made to cost a lot: its header is read first and what it says is bounded,
// what decoding may allocate follows from that, and how often a JPEG may paint its picture over is
// bounded too. Broken files are refused rather than shown as far as they go. Over libspng,
// libjpeg-turbo and libwebp.
//
// No I/O; any function may be called from any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "media/picture.h"

namespace craton::media {

/// The picture of a PNG (of any kind: 16 bits a channel become 8, palettes and grays RGBA; nothing
/// is done about gamma and colour profiles), JPEG or WebP that does not move. Needs about four
/// times its pixels' bytes at most.
/// Fails with `validation` when `bytes` are none, are damaged or end early, or have more than
/// `pixels_max` pixels.
Result<Picture> decode_picture(std::string_view bytes, std::uint64_t pixels_max);

}  // namespace craton::media
