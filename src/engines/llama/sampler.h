// Sampler: chooses the next token of one sequence.
//
//   logits ──► penalties ──► top-k ──► top-p ──► temperature ──► one at random (seeded) ──► token
//                                                temperature 0: the likeliest
//
// Where not every token is allowed, one is chosen as if all were and then looked at: that is enough
// nearly always, and nothing else is looked at then. What was refused is taken out, and another
// chosen; after a few the likeliest allowed ones are looked for, and one chosen among them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

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
  float frequency_penalty = 0;  ///< Taken from a token's logit for each time that it was chosen.
  float presence_penalty = 0;   ///< Taken from it once it was.
};

/// Which tokens may come next.
class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  virtual bool allows(Token token) const = 0;
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

  /// The next token, one that `filter` allows. nullopt when the logits are not numbers (the model
  /// is broken) or when no token is allowed.
  std::optional<Token> choose(std::span<const float> logits, const TokenFilter* filter = nullptr);

 private:
  float reach() const;
  float gather(std::span<const float> logits, std::size_t count, std::span<const Token> refused);
  Token draw(std::size_t count);
  std::size_t gather_allowed(std::span<const float> logits, const TokenFilter& filter);
  Token chosen(Token token);

  struct Free {
    void operator()(llama_sampler* sampler) const;
  };
  SamplingPlan plan_;
  std::unique_ptr<llama_sampler, Free> chain_;   ///< Null: greedy.
  std::unordered_map<Token, int> times_chosen_;  ///< When that is penalised.
};

}  // namespace craton::engines::llama
