#include "engines/diffusion/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "engines/diffusion/messages.h"

namespace craton::engines::diffusion {
namespace {

constexpr double weight_max = 100;

// Where the library has no sampler of that name, the nearest by its order and by whether it adds
// noise: DDPM is DDIM with all noise; k-diffusion's LMS and iPNDM are both linear multistep methods
// of the fourth order.
constexpr std::array samplers{
    Sampler{"DDIM", "ddim_trailing", 0}, Sampler{"DDPM", "ddim_trailing", 1},
    Sampler{"K_DPMPP_2M", "dpm++2m", 0}, Sampler{"K_DPMPP_2S_ANCESTRAL", "dpm++2s_a", 1},
    Sampler{"K_DPM_2", "dpm2", 0},       Sampler{"K_DPM_2_ANCESTRAL", "dpm++2s_a", 1},
    Sampler{"K_EULER", "euler", 0},      Sampler{"K_EULER_ANCESTRAL", "euler_a", 1},
    Sampler{"K_HEUN", "heun", 0},        Sampler{"K_LMS", "ipndm", 0},
};

// Those that no schema names, for craton.yaml.
constexpr std::array library_samplers{
    Sampler{"", "dpm++2mv2", 0}, Sampler{"", "ipndm_v", 0},       Sampler{"", "lcm", 0},
    Sampler{"", "tcd", 0},       Sampler{"", "res_multistep", 0}, Sampler{"", "res_2s", 0},
    Sampler{"", "er_sde", 1},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether the library can read what it takes for a weight: at most one point, and few digits.
bool is_weight(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return text.size() <= 8 && std::ranges::count(text, '.') <= 1 &&
         std::ranges::any_of(text, is_digit);
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

/// `text` as the library can read it. Blanks in a row are one: it would look at each from each. And
/// nothing looks like a weight that is none: it ends at ":.)". A blank behind the colon makes text
/// of that.
std::string readable(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (!is_blank(c)) {
      made += c;
    } else if (made.empty() || made.back() != ' ') {
      made += ' ';
    }
    if (c != ':') continue;
    const std::size_t sign = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
    const std::size_t end = text.find_first_not_of("0123456789.", sign);
    if (end == text.npos || end == sign || text[end] != ')') continue;
    if (!is_weight(text.substr(0, end))) made += ' ';
  }
  return made;
}

void append(std::string& all, std::string_view part) {
  if (!all.empty() && !part.empty()) all += ", ";
  all += part;
}

std::string weighed(const PromptPart& part) {
  const double weight = std::min(std::abs(part.weight), weight_max);
  const std::string text = readable(part.text);
  return weight == 1 || text.empty() ? text : fmt::format("({}:{:.3f})", text, weight);
}

}  // namespace

Result<Prompts> prompts_of(const DrawingRequest& request) {
  Prompts prompts;
  for (const PromptPart& part : request.prompts) {
    if (part.weight > 0) append(prompts.prompt, weighed(part));
    if (part.weight < 0) append(prompts.negative_prompt, weighed(part));
  }
  if (!request.style.empty()) {
    std::string words = readable(request.style) + " style";
    std::ranges::replace(words, '-', ' ');
    append(prompts.prompt, words);
  }
  if (std::max(prompts.prompt.size(), prompts.negative_prompt.size()) > text_max) {
    return Error{ErrorCode::validation,
                 "The prompt is longer than the model that answers here reads: " +
                     std::to_string(text_max) + " bytes. Shorten it."};
  }
  return prompts;
}

const Sampler* find_sampler(std::string_view name) {
  if (name.empty()) return nullptr;
  for (const Sampler& sampler : samplers) {
    if (name == sampler.name || name == sampler.library) return &sampler;
  }
  const auto found = std::ranges::find(library_samplers, name, &Sampler::library);
  return found == library_samplers.end() ? nullptr : &*found;
}

std::string sampler_names() {
  std::string names;
  for (const Sampler& sampler : samplers) append(names, sampler.name);
  return names;
}

}  // namespace craton::engines::diffusion
