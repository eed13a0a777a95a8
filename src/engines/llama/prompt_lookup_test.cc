#include "engines/llama/prompt_lookup.h"

#include <gtest/gtest.h>

namespace craton::engines::llama {
namespace {

using Tokens = std::vector<Token>;

TEST(PromptLookup, GuessesWhatFollowedBefore) {
  PromptLookup lookup;
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3, 4, 5, 6, 9, 1, 2, 3}, 3), (Tokens{4, 5, 6}));
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4, 5}, 2), (Tokens{6, 9}));
}

TEST(PromptLookup, GuessesNothingNew) {
  PromptLookup lookup;
  EXPECT_EQ(lookup.guess(Tokens{}, 4), Tokens{});
  EXPECT_EQ(lookup.guess(Tokens{1, 2}, 4), Tokens{});
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3}, 4), Tokens{});
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3, 2, 3}, 4), Tokens{}) << "two tokens are not enough";
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3, 2, 3}, 0), Tokens{});
}

TEST(PromptLookup, PrefersTheLastPlace) {
  PromptLookup lookup;
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3}, 1), Tokens{5});
}

TEST(PromptLookup, RepeatsWhatRepeatsItself) {
  PromptLookup lookup;
  EXPECT_EQ(lookup.guess(Tokens{7, 7, 7, 7}, 5), (Tokens{7, 7, 7, 7, 7}));
  PromptLookup other;
  EXPECT_EQ(other.guess(Tokens{1, 2, 1, 2, 1}, 4), (Tokens{2, 1, 2, 1}));
}

TEST(PromptLookup, StopsBeforeAnImage) {
  PromptLookup lookup;
  EXPECT_EQ(lookup.guess(Tokens{1, 2, 3, 4, -1, -1, 1, 2, 3}, 5), Tokens{4});
}

}  // namespace
}  // namespace craton::engines::llama
