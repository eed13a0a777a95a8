#include "engines/llama/guesser.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace craton::engines::llama {
namespace {

using Tokens = std::vector<Token>;

/// A step of one token takes 20 ms; each further one `per_token`.
StepCost steps(double per_token) {
  StepCost cost;
  for (int i = 0; i < 200; ++i) cost.observe(1 + i % 12, 0.020 + per_token * (i % 12));
  return cost;
}

/// Drafts what it was told.
class ToldDrafter : public Drafter {
 public:
  explicit ToldDrafter(double per_token) : per_token_(per_token) {}

  std::vector<Token> draft(std::span<const Token>, int most) override {
    asked.push_back(most);
    Tokens drafted = next;
    drafted.resize(std::min(drafted.size(), static_cast<std::size_t>(most)));
    return drafted;
  }
  double seconds_per_token() const override { return per_token_; }
  double take_seconds() override { return 0; }

  Tokens next;
  std::vector<int> asked;

 private:
  double per_token_;
};

constexpr GuessedBatch alone{.tokens = 1, .expected = 1, .most = 8};

TEST(Guesser, GuessesWhatTheTextRepeats) {
  Guesser guesser;
  const Tokens text{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5};
  const Tokens guessed = guesser.guess(text, alone, steps(0.001), nullptr);
  ASSERT_GE(guessed.size(), 4U);
  EXPECT_EQ(Tokens(guessed.begin(), guessed.begin() + 4), (Tokens{6, 7, 8, 9}));
  EXPECT_GT(guesser.expected(), 1);
  EXPECT_LT(guesser.expected(), 4);
}

TEST(Guesser, GuessesNoMoreThanThereIsRoomFor) {
  const Tokens text{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5};
  for (const int most : {-3, 0, 1, 2}) {
    Guesser guesser;
    const GuessedBatch batch{.tokens = 1, .expected = 1, .most = most};
    EXPECT_EQ(guesser.guess(text, batch, steps(0.001), nullptr).size(),
              static_cast<std::size_t>(std::max(most, 0)));
  }
}

/// What the model chooses never follows the guess: after a while nothing is computed for it.
TEST(Guesser, StopsGuessingWhatDoesNotHold) {
  Guesser guesser;
  Tokens text{1, 2, 3, 4, 1, 2, 3};
  const StepCost cost = steps(0.008);
  EXPECT_FALSE(guesser.guess(text, alone, cost, nullptr).empty());
  for (int i = 0; i < 60; ++i) {
    guesser.guess(text, alone, cost, nullptr);
    guesser.chose(99);
  }
  EXPECT_TRUE(guesser.guess(text, alone, cost, nullptr).empty());
  for (int i = 0; i < 60; ++i) {  // it looks all the same, and is there when guesses hold again
    guesser.guess(text, alone, cost, nullptr);
    guesser.chose(4);
  }
  EXPECT_FALSE(guesser.guess(text, alone, cost, nullptr).empty());
}

TEST(Guesser, LearnsOfEachKindByItself) {
  Guesser guesser;
  const StepCost cost = steps(0.008);
  const Tokens little{7, 8, 4, 3, 7, 8};
  for (int i = 0; i < 60; ++i) {
    guesser.guess(little, alone, cost, nullptr);
    guesser.chose(99);
  }
  Tokens much = little;
  for (int i = 0; i < 2; ++i) {
    for (Token token = 20; token < 40; ++token) much.push_back(token);
  }
  much.resize(much.size() - 3);
  EXPECT_FALSE(guesser.guess(much, alone, cost, nullptr).empty());
}

TEST(Guesser, TakesADraftWhereTheTextSaysNothing) {
  Guesser guesser;
  ToldDrafter drafter(0.002);
  drafter.next = {5, 6, 7};
  const StepCost cost = steps(0.001);
  Tokens text{1, 2, 3};
  Tokens guessed;
  for (int i = 0; i < 40 && guessed.empty(); ++i) {
    text.push_back(100 + i);
    guessed = guesser.guess(text, alone, cost, &drafter);
  }
  EXPECT_EQ(guessed, (Tokens{5, 6, 7}));
  EXPECT_GT(guesser.expected(), 0.5);
}

TEST(Guesser, PrefersALongRepetitionToADraft) {
  Guesser guesser;
  ToldDrafter drafter(0.002);
  drafter.next = {50};
  const Tokens text{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6};
  EXPECT_EQ(guesser.guess(text, alone, steps(0.001), &drafter).front(), 7);
  EXPECT_TRUE(drafter.asked.empty());
}

/// An answer of which a token takes `without` ms, or `with` ms where it is drafted; how many of
/// 1000 were.
int drafted_of_thousand(int without, int with) {
  DraftTrial trial;
  SteadyTime now{};
  int drafted = 0;
  for (int tokens = 10; tokens < 1010; ++tokens) {
    const bool drafts = trial.drafts(tokens, now);
    drafted += drafts ? 1 : 0;
    now += std::chrono::milliseconds(drafts ? with : without);
  }
  return drafted;
}

TEST(DraftTrial, KeepsToWhatIsFaster) {
  EXPECT_LT(drafted_of_thousand(100, 120), 150);
  EXPECT_GT(drafted_of_thousand(100, 80), 850);
}

TEST(DraftTrial, TriesTheOtherNowAndThen) {
  EXPECT_GT(drafted_of_thousand(100, 120), 50);
  EXPECT_LT(drafted_of_thousand(100, 80), 950);
}

TEST(DraftTrial, NoticesWhenTheTextChanges) {
  DraftTrial trial;
  SteadyTime now{};
  int late = 0;
  for (int tokens = 10; tokens < 2010; ++tokens) {
    const bool drafts = trial.drafts(tokens, now);
    const int with = tokens < 1000 ? 150 : 50;
    now += std::chrono::milliseconds(drafts ? with : 100);
    if (tokens >= 1500 && drafts) ++late;
  }
  EXPECT_GT(late, 400);
}

TEST(Guesser, DraftsAsMuchAsIsLikelyToBeWorthIt) {
  const StepCost cost = steps(0.002);
  for (const double per_token : {0.001, 0.05}) {
    Guesser guesser;
    ToldDrafter drafter(per_token);
    drafter.next = {5, 6, 7, 8, 9, 10, 11, 12};
    SteadyTime now{};
    Tokens text{1};
    for (int i = 0; i < 300; ++i) {
      text.push_back(1000 + i);
      now += std::chrono::milliseconds(10);
      guesser.guess(text, {.tokens = 1, .expected = 1, .most = 8, .now = now}, cost, &drafter);
      guesser.chose(5);
    }
    ASSERT_FALSE(drafter.asked.empty());
    const int most = *std::ranges::max_element(drafter.asked);
    EXPECT_EQ(most > 3, per_token < 0.01) << most;
  }
}

}  // namespace
}  // namespace craton::engines::llama
