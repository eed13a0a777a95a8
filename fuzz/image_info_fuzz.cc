// Image headers: a cut image is refused or is what the whole one is.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "media/image_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using craton::media::image_info;
  if (size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = image_info(bytes);
  for (std::size_t cut = 0; cut < size; ++cut) {
    const auto part = image_info(bytes.substr(0, cut));
    if (part && (!whole || *part != *whole)) std::abort();
  }
  return 0;
}
