// OpenAI's responses: see family_fuzz.h.
#include "families/openai.h"
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  craton::check_body(craton::families::openai_responses, {"openai.gpt-oss-20b-1:0", 4096, 4096},
                     body);
  const craton::Result<std::string> model = craton::families::openai_model_of(body);
  if (!model && !craton::is_refusal(model.error())) std::abort();
  return 0;
}
