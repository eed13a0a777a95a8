#include "engines/llama/sampler.h"

#include <llama.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace craton::engines::llama {
namespace {

constexpr float temperature_max = 1e4F;  // all tokens are equally likely long before
constexpr float top_p_min = 1e-6F;       // only the likeliest token is left long before
constexpr float penalty_max = 1e4F;      // no token comes twice long before

// Tokens that are drawn and refused before the allowed ones are looked for.
constexpr int draws_max = 6;

// Of the allowed tokens, as many as top-k leaves, or where it is off, what is likely at all.
constexpr std::size_t allowed_max = 256;

// Made once a thread, not once a token: a vocabulary is 2 MB of these.
thread_local std::vector<llama_token_data> candidates;

bool likelier(const llama_token_data& a, const llama_token_data& b) { return a.logit > b.logit; }

float number_or(const std::optional<double>& asked, float otherwise) {
  return asked && !std::isnan(*asked) ? static_cast<float>(*asked) : otherwise;
}

float penalty_of(const std::optional<double>& asked) {
  return std::clamp(number_or(asked, 0), -penalty_max, penalty_max);
}

float temperature_of(float asked) {
  if (asked < temperature_min) return 0;
  return std::min(asked, temperature_max);
}

/// Logits that are looked at together, by the processor's vectors; a vocabulary is thousands of
/// such blocks, and every token of every answer looks at all of them.
constexpr std::size_t block_size = 64;

/// The largest of a block; NaN where one is.
float largest(const float* block) {
  constexpr std::size_t lanes = 16;
  std::array<float, lanes> most;
  std::array<float, lanes> sum;  // NaN as soon as one is
  for (std::size_t lane = 0; lane < lanes; ++lane) most[lane] = sum[lane] = block[lane];
  for (std::size_t i = lanes; i < block_size; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const float logit = block[i + lane];
      most[lane] = logit > most[lane] ? logit : most[lane];
      sum[lane] = logit != logit ? logit : sum[lane];
    }
  }
  float best = most[0];
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (sum[lane] != sum[lane]) return sum[lane];
    best = std::max(best, most[lane]);
  }
  return best;
}

/// The likeliest token, the first of equals; nullopt when one of the logits is NaN or all are
/// infinite.
std::optional<Token> likeliest(std::span<const float> logits) {
  if (logits.empty()) return std::nullopt;
  float best = logits[0];
  std::size_t within = 0;  // where the block begins that has it
  std::size_t i = 0;
  for (; i + block_size <= logits.size(); i += block_size) {
    const float most = largest(&logits[i]);
    if (most != most) return std::nullopt;
    if (most > best) {
      best = most;
      within = i;
    }
  }
  for (; i < logits.size(); ++i) {
    if (logits[i] != logits[i]) return std::nullopt;
    if (logits[i] > best) {
      best = logits[i];
      within = i;
    }
  }
  if (!std::isfinite(best)) return std::nullopt;
  const auto found =
      std::find(logits.begin() + static_cast<std::ptrdiff_t>(within), logits.end(), best);
  return static_cast<Token>(found - logits.begin());
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
          .seed = seed,
          .frequency_penalty = penalty_of(asked.frequency_penalty),
          .presence_penalty = penalty_of(asked.presence_penalty)};
}

void Sampler::Free::operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }

Sampler::Sampler(const SamplingPlan& plan) : plan_(plan) {
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

/// All tokens with their logits, penalised.
void Sampler::fill(std::span<const float> logits) {
  candidates.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    candidates[i] = {static_cast<Token>(i), logits[i], 0.0F};
  }
  for (const auto& [token, times] : times_chosen_) {
    candidates[static_cast<std::size_t>(token)].logit -=
        plan_.frequency_penalty * static_cast<float>(times) + plan_.presence_penalty;
  }
}

/// One of the first `count` candidates.
Token Sampler::draw(std::size_t count) {
  llama_token_data_array array{candidates.data(), count, -1, false};
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(count);
  if (!chain_) return std::min_element(candidates.begin(), end, likelier)->id;
  llama_sampler_apply(chain_.get(), &array);
  const bool drawn = array.selected >= 0 && static_cast<std::size_t>(array.selected) < array.size;
  return drawn ? array.data[array.selected].id : candidates[0].id;
}

/// Moves the likeliest candidates that are allowed to the front; how many.
std::size_t Sampler::keep_allowed(const TokenFilter& filter) {
  std::size_t most = 1;
  if (chain_) most = plan_.top_k > 0 ? static_cast<std::size_t>(plan_.top_k) : allowed_max;
  std::vector<llama_token_data> allowed;
  const auto less_likely = [](const auto& a, const auto& b) { return likelier(b, a); };
  std::ranges::make_heap(candidates, less_likely);
  for (auto end = candidates.end(); end != candidates.begin() && allowed.size() < most; --end) {
    std::pop_heap(candidates.begin(), end, less_likely);
    const llama_token_data& next = *(end - 1);
    if (std::isfinite(next.logit) && filter.allows(next.id)) allowed.push_back(next);
  }
  std::ranges::copy(allowed, candidates.begin());
  return allowed.size();
}

Token Sampler::chosen(Token token) {
  if (plan_.frequency_penalty != 0 || plan_.presence_penalty != 0) ++times_chosen_[token];
  return token;
}

std::optional<Token> Sampler::choose(std::span<const float> logits, const TokenFilter* filter) {
  const std::optional<Token> best = likeliest(logits);
  if (!best) return std::nullopt;
  const bool greedy = !chain_ && times_chosen_.empty();
  if (greedy && (!filter || filter->allows(*best))) return chosen(*best);
  std::vector<Token> refused;
  for (int draws = 0; draws < (chain_ ? draws_max : 1); ++draws) {
    fill(logits);
    for (const Token token : refused) candidates[static_cast<std::size_t>(token)].logit = -INFINITY;
    const Token token = draw(candidates.size());
    if (!filter || filter->allows(token)) return chosen(token);
    refused.push_back(token);
  }
  fill(logits);
  const std::size_t allowed = keep_allowed(*filter);
  if (allowed == 0) return std::nullopt;
  return chosen(draw(allowed));
}

}  // namespace craton::engines::llama
