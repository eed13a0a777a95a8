// Whatever a prompt says, what stable-diffusion.cpp takes for a weight in it is a number, and no
// blanks stand in a row: it would end at the one, and take forever over the other.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <regex>
#include <string>

#include "engines/diffusion/prompt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton;
  const std::string text(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 2048));
  const auto prompts = engines::diffusion::prompts_of(
      DrawingRequest{.prompts = {{text, 1}, {text, 1.5}, {text, -1}}});
  if (!prompts) return 0;
  // As parse_prompt_attention() of stable-diffusion.cpp looks for them.
  static const std::regex weight(R"(:([+-]?[.\d]+)\))");
  for (const std::string& made : {prompts->prompt, prompts->negative_prompt}) {
    if (made.find('\0') != made.npos || made.find("  ") != made.npos) std::abort();
    for (std::sregex_iterator found(made.begin(), made.end(), weight), end; found != end; ++found) {
      (void)std::stof((*found)[1]);  // throws where it is none
    }
  }
  return 0;
}
