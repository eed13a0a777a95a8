// Prompts of imported models: see family_fuzz.h.
#include "families/openai.h"
#include "family_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  craton::check_body(craton::families::openai_completion, {"imported-model", 4096, 4096}, body);
  return 0;
}
