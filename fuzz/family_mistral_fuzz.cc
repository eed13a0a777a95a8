// Mistral, text and messages: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"mistral.mistral-7b-instruct-v0:2",
                                            "mistral.mistral-large-2402-v1:0"};
  fuzz_family(model_ids, data, size);
  return 0;
}
