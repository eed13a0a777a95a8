#include "engines/llama/sampler.h"

#include <gtest/gtest.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace craton::engines::llama {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Sampling with(std::optional<double> temperature, std::optional<double> top_p = {},
              std::optional<int> top_k = {}) {
  Sampling sampling;
  sampling.temperature = temperature;
  sampling.top_p = top_p;
  sampling.top_k = top_k;
  return sampling;
}

TEST(PlanSampling, TakesTheDefaultsWhereNothingIsAsked) {
  const SamplingPlan plan = plan_sampling({}, {.temperature = 0.5F, .top_p = 0.9F, .top_k = 7}, 11);
  EXPECT_FLOAT_EQ(plan.temperature, 0.5F);
  EXPECT_FLOAT_EQ(plan.top_p, 0.9F);
  EXPECT_EQ(plan.top_k, 7);
  EXPECT_EQ(plan.seed, 11u);
}

TEST(PlanSampling, TakesAnyNumberAndLeavesNoneOutOfRange) {
  for (const double number :
       {nan, infinity, -infinity, -1.0, 0.0, 1e-300, 1e-30, 0.5, 2.0, 1e300}) {
    for (const int top_k :
         {std::numeric_limits<int>::min(), -1, 0, 1, std::numeric_limits<int>::max()}) {
      const SamplingPlan plan = plan_sampling(with(number, number, top_k), {}, 1);
      EXPECT_TRUE(plan.temperature == 0 ||
                  (plan.temperature >= temperature_min && plan.temperature <= 1e4F))
          << number;
      EXPECT_TRUE(plan.top_p > 0 && plan.top_p <= 1) << number;
      EXPECT_GE(plan.top_k, 0);
    }
  }
}

TEST(PlanSampling, MakesAFixedSeedOfTheOneThatMeansRandom) {
  Sampling sampling;
  sampling.seed = 0xFFFFFFFF;
  EXPECT_NE(plan_sampling(sampling, {}, 5).seed, 0xFFFFFFFF);
  EXPECT_EQ(plan_sampling(sampling, {}, 5).seed, plan_sampling(sampling, {}, 6).seed);
}

std::vector<Token> drawn(const SamplingPlan& plan, const std::vector<float>& logits, int times) {
  Sampler sampler(plan);
  std::vector<Token> tokens;
  for (int i = 0; i < times; ++i) tokens.push_back(sampler.choose(logits).value());
  return tokens;
}

std::set<Token> distinct(const std::vector<Token>& tokens) {
  return {tokens.begin(), tokens.end()};
}

const std::vector<float> four{1.0F, 4.0F, 3.0F, 2.0F};

TEST(Sampler, TakesTheLikeliestAtTemperatureZero) {
  EXPECT_EQ(distinct(drawn({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1}, four, 50)),
            std::set<Token>{1});
}

TEST(Sampler, DrawsTheSameTokensFromTheSameSeedAndOthersFromAnother) {
  const SamplingPlan plan{.temperature = 2, .top_p = 1, .top_k = 0, .seed = 1};
  SamplingPlan other = plan;
  other.seed = 2;
  EXPECT_EQ(drawn(plan, four, 50), drawn(plan, four, 50));
  EXPECT_NE(drawn(plan, four, 50), drawn(other, four, 50));
}

TEST(Sampler, DrawsEachTokenAsOftenAsItsLogitSays) {
  std::map<Token, int> counts;
  const int times = 20'000;
  for (const Token token :
       drawn({.temperature = 1, .top_p = 1, .top_k = 0, .seed = 3}, four, times)) {
    ++counts[token];
  }
  double sum = 0;
  for (const float logit : four) sum += std::exp(logit);
  for (Token token = 0; token < 4; ++token) {
    EXPECT_NEAR(counts[token] / static_cast<double>(times), std::exp(four[token]) / sum, 0.02);
  }
}

TEST(Sampler, KeepsToTheTopK) {
  EXPECT_EQ(distinct(drawn({.temperature = 50, .top_p = 1, .top_k = 2, .seed = 1}, four, 300)),
            (std::set<Token>{1, 2}));
  EXPECT_EQ(
      distinct(drawn({.temperature = 50, .top_p = 1, .top_k = 1'000'000, .seed = 1}, four, 300))
          .size(),
      4u);
}

TEST(Sampler, KeepsToTheTopP) {
  EXPECT_EQ(distinct(drawn({.temperature = 1, .top_p = 0.65F, .top_k = 0, .seed = 1}, four, 300)),
            (std::set<Token>{1, 2}))
      << "0.64 of the likeliest do not suffice, 0.88 of the first two do";
  EXPECT_EQ(distinct(drawn({.temperature = 1, .top_p = 1e-6F, .top_k = 0, .seed = 1}, four, 300)),
            std::set<Token>{1});
}

TEST(Sampler, NeverDrawsWhatIsImpossible) {
  const float never = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(distinct(drawn({.temperature = 1e4F, .top_p = 1, .top_k = 0, .seed = 1},
                           {never, 1.0F, never, 2.0F}, 300)),
            (std::set<Token>{1, 3}));
}

TEST(Sampler, GivesNothingForLogitsThatAreNoNumbers) {
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  const float never = -std::numeric_limits<float>::infinity();
  for (const float temperature : {0.0F, 1.0F}) {
    Sampler sampler({.temperature = temperature, .top_p = 0.9F, .top_k = 2, .seed = 1});
    EXPECT_FALSE(sampler.choose({}));
    EXPECT_FALSE(sampler.choose(std::vector<float>{1.0F, not_a_number, 3.0F}));
    EXPECT_FALSE(sampler.choose(std::vector<float>{not_a_number, 1.0F, 3.0F}));
    EXPECT_FALSE(sampler.choose(std::vector<float>{never, never}));
  }
}

/// Vocabularies are looked through by blocks: the likeliest may be anywhere, and so may what is no
/// number.
TEST(Sampler, FindsTheLikeliestAnywhere) {
  Sampler greedy({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1});
  for (const std::size_t size : {1, 2, 15, 16, 63, 64, 65, 128, 200, 1000}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::vector<float> logits(size, -3.0F);
      logits[at] = -2.5F;
      EXPECT_EQ(greedy.choose(logits), static_cast<Token>(at)) << size;
      std::fill(logits.begin() + static_cast<std::ptrdiff_t>(at), logits.end(), -2.5F);
      EXPECT_EQ(greedy.choose(logits), static_cast<Token>(at))
          << "the first of equals, of " << size;
      logits[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_FALSE(greedy.choose(logits)) << size;
      logits[at] = std::numeric_limits<float>::infinity();
      EXPECT_FALSE(greedy.choose(logits)) << size;
    }
  }
}

class Only : public TokenFilter {
 public:
  explicit Only(std::vector<Token> allowed) : allowed_(std::move(allowed)) {}
  bool allows(Token token) const override {
    return std::ranges::find(allowed_, token) != allowed_.end();
  }

 private:
  std::vector<Token> allowed_;
};

TEST(Sampler, ChoosesTheLikeliestThatIsAllowed) {
  Sampler sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1});
  const std::vector<float> logits{5, 1, 4, 3};
  const Only some({1, 3});
  EXPECT_EQ(sampler.choose(logits, &some), 3);
  const Only nothing({});
  EXPECT_EQ(sampler.choose(logits, &nothing), std::nullopt);
}

TEST(Sampler, ChoosesAmongTheAllowedAsTheirProbabilitiesSay) {
  std::vector<float> logits(1000, 4.0F);
  logits[500] = 1.0F;
  logits[501] = 0.0F;  // e times less likely
  const Only two({500, 501});
  for (const int top_k : {0, 40}) {
    Sampler sampler({.temperature = 1, .top_p = 1, .top_k = top_k, .seed = 3});
    int first = 0;
    for (int i = 0; i < 2000; ++i) first += sampler.choose(logits, &two) == 500 ? 1 : 0;
    EXPECT_NEAR(first / 2000.0, 0.731, 0.05);
  }
}

TEST(Sampler, TakesPenaltiesFromWhatWasChosen) {
  Sampler frequency(
      {.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1, .frequency_penalty = 0.6F});
  Sampler presence({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1, .presence_penalty = 0.6F});
  const std::vector<float> logits{2, 1, 0};
  std::vector<Token> by_frequency;
  std::vector<Token> by_presence;
  for (int i = 0; i < 5; ++i) {
    by_frequency.push_back(*frequency.choose(logits));
    by_presence.push_back(*presence.choose(logits));
  }
  EXPECT_EQ(by_frequency, (std::vector<Token>{0, 0, 1, 0, 1}));
  EXPECT_EQ(by_presence, (std::vector<Token>{0, 0, 0, 0, 0}));
}

/// Each token of a vocabulary, penalised, through llama.cpp's samplers: what a Sampler should
/// choose without having looked at all of them.
class Thorough {
 public:
  explicit Thorough(const SamplingPlan& plan) : plan_(plan) {
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_top_k(plan.top_k));
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_top_p(plan.top_p, 1));
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_temp(plan.temperature));
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_dist(plan.seed));
  }

  Token choose(const std::vector<float>& logits) {
    std::vector<llama_token_data> all;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      all.push_back({static_cast<Token>(i), logits[i], 0});
    }
    for (const auto& [token, times] : times_) {
      all[static_cast<std::size_t>(token)].logit -=
          plan_.presence_penalty + plan_.frequency_penalty * static_cast<float>(times);
    }
    llama_token_data_array array{all.data(), all.size(), -1, false};
    llama_sampler_apply(chain_.get(), &array);
    const Token token = array.data[array.selected].id;
    ++times_[token];
    return token;
  }

 private:
  struct Free {
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  SamplingPlan plan_;
  std::unique_ptr<llama_sampler, Free> chain_{
      llama_sampler_chain_init(llama_sampler_chain_params{.no_perf = true})};
  std::map<Token, int> times_;
};

TEST(Sampler, ChoosesAsIfEveryTokenHadBeenLookedAt) {
  std::mt19937 random(1);
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SamplingPlan plan{.temperature = 0.1F + static_cast<float>(random() % 30) / 10,
                      .top_p = 0.5F + static_cast<float>(random() % 6) / 10,
                      .top_k = static_cast<int>(1 + random() % 100),
                      .seed = seed};
    if (random() % 2) plan.frequency_penalty = static_cast<float>(random() % 9) - 4;
    if (random() % 2) plan.presence_penalty = static_cast<float>(random() % 9) - 4;
    Sampler sampler(plan);
    Thorough thorough(plan);
    const std::size_t size = 1 + random() % 9000;
    std::normal_distribution<float> normal(0, 4);
    for (int i = 0; i < 8; ++i) {
      std::vector<float> logits(size);
      for (float& logit : logits) logit = normal(random);
      ASSERT_EQ(sampler.choose(logits), thorough.choose(logits))
          << "of " << size << ", top-k " << plan.top_k << ", top-p " << plan.top_p << ", "
          << plan.frequency_penalty << " " << plan.presence_penalty << ", draw " << i;
    }
  }
}

/// One in so many is allowed, in a vocabulary of which a part is impossible.
class OneOf : public TokenFilter {
 public:
  explicit OneOf(Token many) : many_(many) {}
  bool allows(Token token) const override { return token % many_ == 1; }

 private:
  Token many_;
};

TEST(Sampler, ChoosesTheLikeliestAllowedWhereverItIs) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 4);
  for (const Token many : {2, 7, 100, 3000, 20'000}) {
    const OneOf filter(many);
    Sampler sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1});
    for (int i = 0; i < 10; ++i) {
      std::vector<float> logits(30'000);
      for (float& logit : logits) {
        logit = normal(random);
        if (logit > 6) logit = -std::numeric_limits<float>::infinity();
      }
      Token best = 1;
      for (Token token = 1; token < 30'000; token += many) {
        if (logits[static_cast<std::size_t>(token)] > logits[static_cast<std::size_t>(best)]) {
          best = token;
        }
      }
      ASSERT_EQ(sampler.choose(logits, &filter), best) << "one of " << many;
    }
  }
}

}  // namespace
}  // namespace craton::engines::llama
