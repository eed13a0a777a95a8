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
  EXPECT_EQ(guesser.guess(Tokens{1, 2, 3}, alone, steps(0.001), &drafter), (Tokens{5, 6, 7}));
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

TEST(Guesser, AsksForNoDraftThatTakesLongerThanItSaves) {
  Guesser guesser;
  ToldDrafter drafter(0.03);  // longer than the model itself
  drafter.next = {5, 6, 7};
  const StepCost cost = steps(0.001);
  int asked = 0;
  for (int i = 0; i < 640; ++i) {
    guesser.guess(Tokens{1, 2, 3}, alone, cost, &drafter);
    guesser.chose(5);
    asked = static_cast<int>(drafter.asked.size());
  }
  EXPECT_GE(asked, 9) << "it is tried again now and then";
  EXPECT_LE(asked, 11);
  EXPECT_EQ(*std::ranges::max_element(drafter.asked), 1);
}

TEST(Guesser, AsksForLessWhereDraftsDoNotHold) {
  Guesser guesser;
  ToldDrafter drafter(0.004);
  drafter.next = {5, 6, 7, 8, 9, 10, 11, 12};
  const StepCost cost = steps(0.002);
  for (int i = 0; i < 100; ++i) {
    guesser.guess(Tokens{1, 2, 3}, alone, cost, &drafter);
    guesser.chose(99);
  }
  EXPECT_GE(drafter.asked.front(), 2);
  EXPECT_LE(drafter.asked.back(), 1);
}

}  // namespace
}  // namespace craton::engines::llama
