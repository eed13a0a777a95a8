// Amazon Nova: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"amazon.nova-lite-v1:0", "amazon.nova-2-lite-v1:0"};
  fuzz_family(model_ids, data, size);
  return 0;
}
