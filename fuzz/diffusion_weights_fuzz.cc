// The head of a GGUF or safetensors file says what the file holds; one that is cut says the same or
// nothing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engines/diffusion/weights_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::engines::diffusion;
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  const WeightsKind whole = kind_of_head(head);
  if (kind_of_head(head) != whole) std::abort();
  (void)kind_of_head(head.substr(0, size / 2));
  return 0;
}
