// AI21 Jamba: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"ai21.jamba-1-5-mini-v1:0", "ai21.jamba-instruct-v1:0"};
  fuzz_family(model_ids, data, size);
  return 0;
}
