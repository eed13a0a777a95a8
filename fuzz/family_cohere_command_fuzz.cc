// Cohere Command: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"cohere.command-text-v14",
                                            "cohere.command-light-text-v14"};
  fuzz_family(model_ids, data, size);
  return 0;
}
