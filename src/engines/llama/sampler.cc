#include "engines/llama/sampler.h"

#include <llama.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace craton::engines::llama {
namespace {

constexpr float temperature_max = 1e4F;  // all tokens are equally likely long before
constexpr float top_p_min = 1e-6F;       // only the likeliest token is left long before

float number_or(const std::optional<double>& asked, float otherwise) {
  return asked && !std::isnan(*asked) ? static_cast<float>(*asked) : otherwise;
}

float temperature_of(float asked) {
  if (asked < temperature_min) return 0;
  return std::min(asked, temperature_max);
}

/// The likeliest token; nullopt when one of the logits is NaN or all are infinite.
std::optional<Token> likeliest(std::span<const float> logits) {
  std::size_t best = 0;
  bool broken = logits.empty();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    broken |= logits[i] != logits[i];
    if (logits[i] > logits[best]) best = i;
  }
  if (broken || !std::isfinite(logits[best])) return std::nullopt;
  return static_cast<Token>(best);
}

}  // namespace

SamplingPlan plan_sampling(const Sampling& asked, const SamplingDefaults& defaults,
                           std::uint32_t random_seed) {
  std::uint32_t seed = asked.seed.value_or(random_seed);
  if (seed == LLAMA_DEFAULT_SEED) --seed;  // to llama.cpp this one means "take a random seed"
  const bool wants_chance = asked.top_p || asked.top_k;
  const float otherwise =
      wants_chance && defaults.temperature <= 0 ? temperature_of_chance : defaults.temperature;
  return {.temperature = temperature_of(number_or(asked.temperature, otherwise)),
          .top_p = std::clamp(number_or(asked.top_p, defaults.top_p), top_p_min, 1.0F),
          .top_k = std::max(0, asked.top_k.value_or(defaults.top_k)),
          .seed = seed};
}

void Sampler::Free::operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }

Sampler::Sampler(const SamplingPlan& plan) {
  if (plan.temperature <= 0) return;
  chain_.reset(llama_sampler_chain_init(llama_sampler_chain_params{.no_perf = true}));
  if (plan.top_k > 0) {
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_top_k(plan.top_k));
  }
  if (plan.top_p < 1) {
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_top_p(plan.top_p, 1));
  }
  llama_sampler_chain_add(chain_.get(), llama_sampler_init_temp(plan.temperature));
  llama_sampler_chain_add(chain_.get(), llama_sampler_init_dist(plan.seed));
}

std::optional<Token> Sampler::choose(std::span<const float> logits) {
  const std::optional<Token> best = likeliest(logits);
  if (!best || !chain_) return best;
  // Made once a thread, not once a token: a vocabulary is 2 MB of these.
  thread_local std::vector<llama_token_data> candidates;
  candidates.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    candidates[i] = {static_cast<Token>(i), logits[i], 0.0F};
  }
  llama_token_data_array array{candidates.data(), candidates.size(), -1, false};
  llama_sampler_apply(chain_.get(), &array);
  if (array.selected < 0 || static_cast<std::size_t>(array.selected) >= array.size) return best;
  const Token token = array.data[array.selected].id;
  llama_sampler_accept(chain_.get(), token);
  return token;
}

}  // namespace craton::engines::llama
