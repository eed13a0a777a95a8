// Pictures that anybody sent: whatever the bytes, an error or as many pixels as the header said;
// and what was decoded survives PNG.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "media/image_info.h"
#include "media/picture_decode.h"
#include "media/picture_encode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::media;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto picture = decode_picture(bytes, 1 << 16);
  if (!picture) return 0;
  const auto info = image_info(bytes);
  if (!info || static_cast<int>(info->width) != picture->width ||
      static_cast<int>(info->height) != picture->height ||
      picture->rgba.size() != std::size_t{info->width} * info->height * 4) {
    std::abort();
  }
  const auto back = decode_picture(encode_picture(*picture, ImageFormat::png), 1 << 16);
  if (!back || *back != *picture) std::abort();
  return 0;
}
