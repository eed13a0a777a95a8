// Amazon Titan Text: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"amazon.titan-text-express-v1",
                                            "amazon.titan-tg1-large"};
  fuzz_family(model_ids, data, size);
  return 0;
}
