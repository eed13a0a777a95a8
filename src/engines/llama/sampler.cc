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

// Where few tokens are allowed, so many of the likeliest are looked at first.
constexpr std::size_t looked_at_first = 256;

// Logits below the largest by so much: all of a vocabulary together are less likely than 1 in 10^9.
constexpr float nothing_beside = 33;

/// The likeliest first; of equals the one with the smaller number.
bool likelier(const llama_token_data& a, const llama_token_data& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

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

/// What one look through a vocabulary finds. Made once a thread, not once a token.
struct Survey {
  std::vector<float> most;  ///< The largest of each block; the last may be shorter.

  /// False when one of the logits is NaN.
  bool look_through(std::span<const float> logits) {
    most.clear();
    std::size_t i = 0;
    for (; i + block_size <= logits.size(); i += block_size) most.push_back(largest(&logits[i]));
    if (i < logits.size()) {
      const auto rest = logits.subspan(i);
      const bool numbers =
          std::ranges::none_of(rest, [](float logit) { return std::isnan(logit); });
      most.push_back(numbers ? *std::ranges::max_element(rest) : NAN);
    }
    return std::ranges::none_of(most, [](float block) { return std::isnan(block); });
  }

  /// At least `count` logits are not below it, and not many more: so many blocks have one.
  float bound_of(std::size_t count) {
    if (count > most.size()) return -INFINITY;
    ordered_ = most;
    const auto at = ordered_.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::ranges::nth_element(ordered_, at, std::greater());
    return *at;
  }

 private:
  std::vector<float> ordered_;
};

thread_local Survey survey;

/// The likeliest token, the first of equals; nullopt when one of the logits is NaN or all are
/// infinite. Leaves the survey of `logits`.
std::optional<Token> likeliest(std::span<const float> logits) {
  if (logits.empty() || !survey.look_through(logits)) return std::nullopt;
  const auto block = std::ranges::max_element(survey.most);
  if (!std::isfinite(*block)) return std::nullopt;
  const auto begin = logits.begin() + (block - survey.most.begin()) * std::ptrdiff_t{block_size};
  return static_cast<Token>(std::find(begin, logits.end(), *block) - logits.begin());
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

/// How far below the likeliest the others are nothing. Top-p is looked at before the temperature.
float Sampler::reach() const {
  return nothing_beside * (plan_.top_p < 1 ? 1.0F : plan_.temperature);
}

/// Of the survey's logits the `count` largest, once penalised, and some more; with 0, those within
/// reach of the largest. None that was `refused`. All that are not below what is returned are
/// there.
float Sampler::gather(std::span<const float> logits, std::size_t count,
                      std::span<const Token> refused) {
  // As many as are lowered or left out may be among the largest, so that many more are looked for.
  const std::size_t moved = times_chosen_.size() + refused.size();
  const float bound = survey.bound_of(std::max<std::size_t>(count, 1) + moved);
  const float least = count > 0 ? bound : bound - reach();
  const auto is_refused = [&](Token token) {
    return std::ranges::find(refused, token) != refused.end();
  };
  const auto is_moved = [&](Token token) {
    return moved > 0 && (is_refused(token) || times_chosen_.contains(token));
  };
  candidates.clear();
  for (std::size_t block = 0; block < survey.most.size(); ++block) {
    if (!(survey.most[block] >= least)) continue;
    const std::size_t end = std::min(logits.size(), (block + 1) * block_size);
    for (std::size_t i = block * block_size; i < end; ++i) {
      const auto token = static_cast<Token>(i);
      if (logits[i] < least || logits[i] == -INFINITY) continue;
      if (!is_moved(token)) candidates.push_back({token, logits[i], 0.0F});
    }
  }
  for (const auto& [token, times] : times_chosen_) {
    const float logit = logits[static_cast<std::size_t>(token)] - plan_.presence_penalty -
                        plan_.frequency_penalty * static_cast<float>(times);
    if (!is_refused(token) && logit != -INFINITY) candidates.push_back({token, logit, 0.0F});
  }
  return least;
}

/// One of the first `count` candidates, of which there is one.
Token Sampler::draw(std::size_t count) {
  llama_token_data_array array{candidates.data(), count, -1, false};
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(count);
  if (!chain_) return std::min_element(candidates.begin(), end, likelier)->id;
  llama_sampler_apply(chain_.get(), &array);
  const bool drawn = array.selected >= 0 && static_cast<std::size_t>(array.selected) < array.size;
  return drawn ? array.data[array.selected].id : candidates[0].id;
}

/// Moves the likeliest tokens that are allowed to the front of the candidates; how many.
std::size_t Sampler::gather_allowed(std::span<const float> logits, const TokenFilter& filter) {
  std::size_t most = 1;
  if (chain_) most = plan_.top_k > 0 ? static_cast<std::size_t>(plan_.top_k) : allowed_max;
  const auto less_likely = [](const auto& a, const auto& b) { return likelier(b, a); };
  std::vector<llama_token_data> allowed;
  std::size_t looked_at = 0;
  for (std::size_t count = looked_at_first; allowed.size() < most; count *= 8) {
    const float least = gather(logits, count, {});
    std::ranges::make_heap(candidates, less_likely);
    std::size_t seen = 0;
    // What is below `least` may come after others that are not here.
    for (auto end = candidates.end(); end != candidates.begin(); --end) {
      if (candidates.front().logit < least || allowed.size() == most) break;
      std::pop_heap(candidates.begin(), end, less_likely);
      if (++seen <= looked_at) continue;
      looked_at = seen;
      if (filter.allows((end - 1)->id)) allowed.push_back(*(end - 1));
    }
    if (least == -INFINITY) break;
  }
  candidates = allowed;
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
  const std::size_t count = chain_ ? static_cast<std::size_t>(plan_.top_k) : 1;
  std::vector<Token> refused;
  const int draws = chain_ ? draws_max : greedy ? 0 : 1;
  for (int drawn = 0; drawn < draws; ++drawn) {
    gather(logits, count, refused);
    if (candidates.empty()) return std::nullopt;
    const Token token = draw(candidates.size());
    if (!filter || filter->allows(token)) return chosen(token);
    refused.push_back(token);
  }
  const std::size_t allowed = gather_allowed(logits, *filter);
  if (allowed == 0) return std::nullopt;
  return chosen(draw(allowed));
}

}  // namespace craton::engines::llama
