// Meta Llama: see family_fuzz.h.
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"meta.llama2-13b-chat-v1", "meta.llama2-13b-v1",
                                            "meta.llama3-8b-instruct-v1:0",
                                            "meta.llama4-scout-17b-instruct-v1:0"};
  fuzz_family(model_ids, data, size);
  return 0;
}
