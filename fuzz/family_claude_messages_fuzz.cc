// Anthropic Messages: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"anthropic.claude-3-haiku-20240307-v1:0",
                                            "anthropic.claude-haiku-4-5-20251001-v1:0",
                                            "anthropic.claude-opus-4-6-v1"};
  fuzz_family(model_ids, data, size);
  return 0;
}
