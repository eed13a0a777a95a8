// Sampler: chooses the next token of one sequence.
//
//   logits ──► top-k ──► top-p ──► temperature ──► one at random (seeded) ──► token
//                                  temperature 0: the likeliest, nothing else matters
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "conversation/conversation.h"
#include "engines/llama/decoder.h"

struct llama_sampler;

namespace craton::engines::llama {

/// Sampling with every question answered and every number in a range that samplers take.
struct SamplingPlan {
  float temperature;  ///< 0: greedy. Never below `temperature_min` otherwise.
  float top_p;        ///< Above 0, at most 1 (off).
  int top_k;          ///< 0: off.
  std::uint32_t seed;
};

/// What holds where neither the request nor the model's file says anything. Greedy: the same
/// request gets the same answer, and small models wander at the temperatures that providers tune
/// for their own. The others are llama.cpp's.
struct SamplingDefaults {
  float temperature = 0;
  float top_p = 0.95F;
  int top_k = 40;
};

/// The temperature of a request that names top-p or top-k and no temperature: it asks for chance.
inline constexpr float temperature_of_chance = 1;

/// Below it logits divided by the temperature overflow; the likeliest token is chosen long before.
inline constexpr float temperature_min = 1.0F / 1024;

/// Any numbers are taken: NaN counts as absent, what is out of range as the nearest end of it.
/// `random_seed` serves a request that has none.
SamplingPlan plan_sampling(const Sampling& asked, const SamplingDefaults& defaults,
                           std::uint32_t random_seed);

class Sampler {
 public:
  explicit Sampler(const SamplingPlan& plan);

  /// The next token, or nullopt when the logits are not numbers: the model is broken.
  std::optional<Token> choose(std::span<const float> logits);

 private:
  struct Free {
    void operator()(llama_sampler* sampler) const;
  };
  std::unique_ptr<llama_sampler, Free> chain_;  ///< Null: greedy.
};

}  // namespace craton::engines::llama
