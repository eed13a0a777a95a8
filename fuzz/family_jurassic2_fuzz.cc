// AI21 Jurassic-2: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"ai21.j2-ultra-v1", "ai21.j2-mid"};
  fuzz_family(model_ids, data, size);
  return 0;
}
