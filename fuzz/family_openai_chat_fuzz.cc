// OpenAI's chat completions, native and as an endpoint: see family_fuzz.h.
#include "families/openai.h"
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view model_ids[] = {"openai.gpt-oss-20b-1:0", "qwen.qwen3-32b-v1:0",
                                            "deepseek.v3-v1:0", "mistral.pixtral-large-2502-v1:0"};
  fuzz_family(model_ids, data, size);
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  craton::check_body(craton::families::openai_chat_endpoint, {"qwen.qwen3-32b", 4096, 4096}, body);
  return 0;
}
