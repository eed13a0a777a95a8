// What a request says in words, as stable-diffusion.cpp reads it.
//
// Its syntax is the one of Stability's own API: "(word:1.2)" weighs a word, "(word)" and "[word]" a
// little more and less.
//
// No I/O, no globals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/drawing.h"

namespace craton::engines::diffusion {

struct Prompts {
  std::string prompt = {};           ///< All parts of positive weight, and the style.
  std::string negative_prompt = {};  ///< All of negative weight; those of none are left out.

  friend bool operator==(const Prompts&, const Prompts&) = default;
};

/// Fails with `validation` when there is more text than a model is sent.
Result<Prompts> prompts_of(const DrawingRequest& request);

struct Sampler {
  std::string_view name;     ///< In SDXL's schema.
  std::string_view library;  ///< stable-diffusion.cpp's.
  double eta;                ///< Of the noise that each step adds anew; 1: all.
};

/// The sampler of SDXL's schema ("K_EULER"), or by the library's name ("euler"); null when there is
/// none of that name.
const Sampler* find_sampler(std::string_view name);

/// "DDIM, DDPM, …": those of SDXL's schema.
std::string sampler_names();

}  // namespace craton::engines::diffusion
