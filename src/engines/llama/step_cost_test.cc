#include "engines/llama/step_cost.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace craton::engines::llama {
namespace {

StepCost learnt(double fixed, double per_token) {
  StepCost cost;
  for (int i = 0; i < 200; ++i) {
    const int tokens = 1 + i % 12;
    cost.observe(tokens, fixed + per_token * tokens);
  }
  return cost;
}

/// Where each token of a guess holds alike.
int worthwhile(const StepCost& cost, int tokens, double probability, int most) {
  return cost.worthwhile(tokens, tokens,
                         std::vector<double>(static_cast<std::size_t>(most), probability));
}

TEST(StepCost, LearnsFromSteps) {
  const StepCost cost = learnt(0.015, 0.005);
  EXPECT_NEAR(cost.of(1), 1, 1e-9);
  EXPECT_NEAR(cost.of(9), 1 + 8 * 0.25, 1e-6);
  EXPECT_NEAR(cost.seconds(), 0.02, 1e-6);
}

TEST(StepCost, ForgetsWhatWasLongAgo) {
  StepCost cost = learnt(0, 0.02);
  for (int i = 0; i < 500; ++i) cost.observe(1 + i % 8, 0.020 + 0.001 * (i % 8));
  EXPECT_NEAR(cost.of(2), 1.05, 0.01);
}

TEST(StepCost, HeedsNoStepsThatSayNothing) {
  StepCost cost = learnt(0.015, 0.005);
  cost.observe(512, 0.1);
  cost.observe(0, 1);
  cost.observe(3, 0);
  EXPECT_NEAR(cost.of(2), 1.25, 1e-6);
}

TEST(StepCost, GuessesMoreWhereMoreHolds) {
  const StepCost cost = learnt(0.015, 0.005);
  int last = 0;
  for (const double probability : {0.1, 0.3, 0.5, 0.7, 0.9, 0.99}) {
    const int worth = worthwhile(cost, 1, probability, 16);
    EXPECT_GE(worth, last);
    last = worth;
  }
  EXPECT_EQ(worthwhile(cost, 1, 0.1, 16), 0);
  EXPECT_EQ(worthwhile(cost, 1, 1, 16), 16) << "where all holds, a larger batch is always better";
  EXPECT_EQ(worthwhile(cost, 1, 0, 16), 0);
}

TEST(StepCost, GuessesNothingWhereEveryTokenCostsAStep) {
  EXPECT_EQ(worthwhile(learnt(0, 0.02), 1, 0.9, 16), 0);
}

/// No other number of tokens makes more of the time.
TEST(StepCost, FindsTheBest) {
  for (const double per_token : {0.0005, 0.002, 0.005, 0.01}) {
    const StepCost cost = learnt(0.015, per_token);
    for (const int others : {0, 1, 3, 7}) {
      for (const double p : {0.2, 0.5, 0.8, 0.95}) {
        const int worth = worthwhile(cost, 1 + others, p, 30);
        const auto rate = [&](int guessed) {
          double expected = others;
          for (int i = 0; i <= guessed; ++i) expected += std::pow(p, i);
          return expected / cost.of(1 + others + guessed);
        };
        for (int guessed = 0; guessed <= 30; ++guessed) {
          EXPECT_GE(rate(worth) + 1e-9, rate(guessed)) << per_token << ' ' << others << ' ' << p;
        }
      }
    }
  }
}

TEST(StepCost, KnowsSecondsOfStepsOfOneSize) {
  StepCost cost;
  EXPECT_EQ(cost.seconds(), 0);
  for (int i = 0; i < 10; ++i) cost.observe(1, 0.03);
  EXPECT_NEAR(cost.seconds(), 0.03, 1e-9);
}

/// As kernels are that compute one token in another way.
TEST(StepCost, LearnsThatABatchOfOneIsCheaper) {
  StepCost cost;
  for (int i = 0; i < 300; ++i) {
    const int tokens = 1 + i % 6;
    cost.observe(tokens, tokens == 1 ? 0.05 : 0.1 + 0.01 * (tokens - 1));
  }
  EXPECT_NEAR(cost.seconds(), 0.05, 0.001);
  EXPECT_NEAR(cost.of(3), 0.12 / 0.05, 0.05);
  EXPECT_EQ(worthwhile(cost, 1, 0.5, 8), 0);
  EXPECT_GT(worthwhile(cost, 1, 0.95, 8), 4);
  for (int i = 0; i < 300; ++i) cost.observe(2 + i % 5, 2 * (0.1 + 0.01 * (1 + i % 5)));
  EXPECT_NEAR(cost.seconds(), 0.1, 0.01) << "the machine is half as fast, for batches of one too";
}

TEST(StepCost, LooksBeyondATokenThatIsNotWorthIt) {
  const std::array late{0.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
  EXPECT_EQ(learnt(0.0195, 0.0005).worthwhile(1, 1, late), 8);
}

TEST(StepCost, CountsWhatMakingAGuessCosts) {
  const StepCost cost = learnt(0.019, 0.001);
  const std::array likely{0.8, 0.8, 0.8, 0.8};
  EXPECT_EQ(cost.worthwhile(1, 1, likely), 4);
  EXPECT_EQ(cost.worthwhile(1, 1, likely, 0.4), 2);
  EXPECT_EQ(cost.worthwhile(1, 1, likely, 1), 0);
}

/// A GPU: each token costs little, each change of the size as much as a step, twice.
double seconds_on_gpu(int tokens, int last, int before_last) {
  const bool prepared = tokens == last && tokens == before_last;
  return 0.0019 + 0.0001 * tokens + (prepared ? 0 : 0.002);
}

StepCost learnt_on_gpu(int answers) {
  StepCost cost;
  int last = 0;
  int before_last = 0;
  for (int i = 0; i < 1500; ++i) {
    const int tokens = i % 10 == 9 ? answers + 1 + i / 10 % 8 : answers;  // now and then a guess
    cost.observe(tokens, seconds_on_gpu(tokens, last, before_last));
    before_last = last;
    last = tokens;
  }
  for (int i = 0; i < 3; ++i) cost.observe(answers, seconds_on_gpu(answers, answers, answers));
  return cost;
}

TEST(StepCost, LearnsWhatAChangeCosts) {
  const StepCost cost = learnt_on_gpu(1);
  EXPECT_NEAR(cost.seconds(), 0.002, 0.0003) << "the changes are not taken for the steps' own";
  EXPECT_LT(cost.of(9), 2);
  EXPECT_FALSE(cost.worth_changing(1, 3, 2.5)) << "three longer steps for one and a half tokens";
  EXPECT_TRUE(cost.worth_changing(1, 9, 8.5));
}

TEST(StepCost, GoesOnWithGuessesOfOneSize) {
  StepCost cost = learnt_on_gpu(1);
  cost.observe(9, seconds_on_gpu(9, 1, 1));
  EXPECT_TRUE(cost.worth_changing(1, 9, 2.5)) << "it is prepared for these now";
  EXPECT_FALSE(cost.worth_changing(1, 5, 1.5)) << "but not for others";
}

TEST(StepCost, HeedsNoChangeWhereNoneCosts) {
  StepCost cost;
  for (int i = 0; i < 400; ++i) {
    const int tokens = i % 5 == 4 ? 2 + i / 5 % 6 : 1;
    cost.observe(tokens, 0.015 + 0.002 * tokens);
  }
  EXPECT_TRUE(cost.worth_changing(1, 4, 1.5));
  EXPECT_FALSE(cost.worth_changing(1, 4, 1.1));
}

}  // namespace
}  // namespace craton::engines::llama
