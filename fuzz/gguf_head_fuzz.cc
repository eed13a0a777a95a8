// The first bytes of a model file: any bytes say whether they are an encoder's.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engines/llama/gguf_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  craton::engines::llama::says_encoder({reinterpret_cast<const char*>(data), size});
  return 0;
}
