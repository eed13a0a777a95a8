// Image decoders: whatever the bytes, an error or as many pixels as the header said.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engines/llama/image_pixels.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::engines::llama;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr PixelLimits limits{.pixels_max = 1 << 16};
  const auto measured = measure_pixels(bytes, limits);
  const auto decoded = decode_pixels(bytes, limits);
  if (!decoded) return 0;
  if (!measured || measured->width != decoded->width || measured->height != decoded->height)
    std::abort();
  if (decoded->rgb.size() != std::size_t{decoded->width} * decoded->height * 3) std::abort();
  return 0;
}
