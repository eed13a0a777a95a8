// Claude text completions: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"anthropic.claude-v2", "anthropic.claude-v2:1",
                                            "anthropic.claude-instant-v1"};
  fuzz_family(model_ids, data, size);
  return 0;
}
