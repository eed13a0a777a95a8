// How likely a model held a token to be.
//
// No I/O, no globals.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "engines/llama/decoder.h"

namespace craton::engines::llama {

/// Natural logarithm of the probability that `logits` give `token`. `logits` are not empty.
inline double log_probability(std::span<const float> logits, Token token) {
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  return static_cast<double>(logits[static_cast<std::size_t>(token)]) - most - std::log(sum);
}

}  // namespace craton::engines::llama
