#include "engines/llama/prompt_lookup.h"

#include <gtest/gtest.h>

namespace craton::engines::llama {
namespace {

using Tokens = std::vector<Token>;

Tokens guessed(PromptLookup& lookup, const Tokens& text, int most) {
  return lookup.guess(text, most).tokens;
}

TEST(PromptLookup, GuessesWhatFollowedBefore) {
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, {1, 2, 3, 4, 5, 6, 9, 1, 2, 3}, 3), (Tokens{4, 5, 6}));
  EXPECT_EQ(guessed(lookup, {1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4, 5}, 2), (Tokens{6, 9}));
}

TEST(PromptLookup, GuessesNothingNew) {
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, {}, 4), Tokens{});
  EXPECT_EQ(guessed(lookup, {1}, 4), Tokens{});
  EXPECT_EQ(guessed(lookup, {1, 2, 3}, 4), Tokens{});
  EXPECT_EQ(guessed(lookup, {1, 2, 3, 5, 3}, 4), Tokens{}) << "one token is not enough";
  EXPECT_EQ(guessed(lookup, {1, 2, 3, 5, 3, 2, 3}, 0), Tokens{});
}

TEST(PromptLookup, PrefersTheLastPlaceOfEquals) {
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, {9, 2, 3, 4, 8, 2, 3, 5, 7, 2, 3}, 1), Tokens{5});
}

TEST(PromptLookup, PrefersThePlaceBeforeWhichMoreIsTheSame) {
  // Entries of a list: each ends in a form that all share. The copy of the first must not go on
  // with what followed in the second.
  const Tokens list{11,  12, 50, 51, 52, 101, 21,  22, 50, 51, 52,
                    102, 31, 32, 50, 51, 52,  103, 0,  0,  0};
  Tokens copy = list;
  for (const Token token : {11, 12, 50, 51, 52}) copy.push_back(token);
  PromptLookup lookup;
  const Guess guess = lookup.guess(copy, 3);
  EXPECT_EQ(guess.tokens, (Tokens{101, 21, 22}));
  EXPECT_EQ(guess.matched, 5);
}

TEST(PromptLookup, FollowsACopyThatDiffersInAToken) {
  Tokens text{1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3};
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, text, 3), (Tokens{4, 5, 6}));
  text.push_back(44);
  const Guess guess = lookup.guess(text, 3);
  EXPECT_EQ(guess.tokens, (Tokens{5, 6, 7}));
  EXPECT_EQ(guess.matched, 0);
  for (const Token token : {45, 46, 47}) {
    text.push_back(token);
    EXPECT_FALSE(guessed(lookup, text, 3).empty());
  }
  text.push_back(48);
  EXPECT_EQ(guessed(lookup, text, 3), Tokens{}) << "it is no copy any more";
}

TEST(PromptLookup, RepeatsWhatRepeatsItself) {
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, {7, 7, 7, 7}, 5), (Tokens{7, 7, 7, 7, 7}));
  PromptLookup other;
  EXPECT_EQ(guessed(other, {1, 2, 1, 2, 1}, 4), (Tokens{2, 1, 2, 1}));
}

TEST(PromptLookup, StopsBeforeAnImage) {
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, {1, 2, 3, 4, -1, -1, 1, 2, 3}, 5), Tokens{4});
}

TEST(PromptLookup, LooksAtNoMoreThanAFewPlaces) {
  Tokens text;  // the same pattern everywhere, never with the same before it
  for (Token i = 0; i < 100'000; ++i) text.insert(text.end(), {1000 + i, 1, 2, 3000 + i});
  text.insert(text.end(), {5, 1, 2});
  PromptLookup lookup;
  EXPECT_EQ(guessed(lookup, text, 1), Tokens{3000 + 99'999});
}

}  // namespace
}  // namespace craton::engines::llama
