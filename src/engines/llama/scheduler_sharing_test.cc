// What the scheduler computes once for several, and who goes first.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "engines/llama/scheduler_fixture.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;

/// `length` tokens that many prompts begin with, and `more` that only this one has.
Asked beginning_with(int length, int seed, int more = 5) {
  std::vector<Token> prompt = prompt_of(length, 77);
  std::ranges::copy(prompt_of(more, seed), std::back_inserter(prompt));
  return {.prompt = std::move(prompt), .tokens_max = 20};
}

TEST_F(SharingTest, ComputesABeginningOnceForAllThatComeAtOnce) {
  std::vector<Asked> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(beginning_with(200, i));
    ask(all.back());
  }
  run();
  expect_right(all);
  EXPECT_LE(computed(), 200 + 4 * (5 + 20));
}

TEST_F(SharingTest, KeepsABeginningForThoseWhoComeLater) {
  std::vector<Asked> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(beginning_with(200, i));
    ask(all.back());
    run();
    EXPECT_EQ(scheduler().pinned_cells(), 0);
  }
  expect_right(all);
  EXPECT_LE(computed(), 200 + 4 * (5 + 20));
  EXPECT_EQ(scheduler().stats().prompt_tokens, 4u * 205u);
  EXPECT_EQ(scheduler().stats().prefix_hit_tokens, 3u * 200u);
}

TEST_F(SharingTest, GoesOnWhereAChatEnded) {
  Asked asked{.prompt = prompt_of(50, 1), .tokens_max = 10};
  std::vector<Asked> all;
  for (int turn = 0; turn < 5; ++turn) {
    all.push_back(asked);
    ask(asked);
    run();
    std::vector<Token> next = asked.prompt.tokens();
    for (const char letter : read_off(asked)) next.push_back(letter - '!');
    std::ranges::copy(prompt_of(7, turn), std::back_inserter(next));
    asked.prompt = next;
  }
  expect_right(all);
  EXPECT_LE(computed(), 50 + 5 * (10 + 7 + 1));
}

TEST_F(SharingTest, DropsWhatWasLeastRecentlyOfUse) {
  options.cells = decoder.cells = 200;
  ask({.prompt = prompt_of(80, 1), .tokens_max = 1});
  run();
  ask({.prompt = prompt_of(80, 2), .tokens_max = 1});
  run();
  ask({.prompt = prompt_of(80, 1), .tokens_max = 1});  // of use again
  run();
  ask({.prompt = prompt_of(80, 3), .tokens_max = 1});
  run();
  const int before = computed();
  ask({.prompt = prompt_of(80, 1), .tokens_max = 1});
  run();
  EXPECT_EQ(computed() - before, 1) << "the last token says what follows";
  ask({.prompt = prompt_of(80, 2), .tokens_max = 1});
  run();
  EXPECT_GT(computed() - before, 1 + 40);
}

TEST_F(SharingTest, AdmitsWhatNeedsTheCellsThatAreKept) {
  options.cells = decoder.cells = 200;
  std::vector<Asked> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back({.prompt = prompt_of(150, i), .tokens_max = 20});
    ask(all.back());
  }
  run();
  expect_right(all);
}

TEST_F(SharingTest, WaitsForNobodyWhoHasLeft) {
  const Asked asked = beginning_with(200, 1);
  Caller& leader = ask(beginning_with(200, 0));
  Caller& follower = ask(asked);
  step();
  leader.generation->cancel();
  run();
  EXPECT_EQ(text_of(follower), read_off(asked));
  EXPECT_LE(computed(), 200 + 5 + 20) << "what the other had computed is of use";
}

TEST_F(SharingTest, SharesNothingOfARecurrentModel) {
  decoder.recurrent = true;
  std::vector<Asked> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(beginning_with(60, i));
    ask(all.back());
  }
  run();
  expect_right(all);
  EXPECT_EQ(decoder.cells_held(), 0);
}

TEST_F(SharingTest, SharesAndKeepsNothingWhereItIsOff) {
  options.prefix_cache = false;
  for (int i = 0; i < 6; ++i) {
    ask(beginning_with(60, i));
    if (i % 3 == 2) run();
  }
  EXPECT_GE(computed(), 6 * 65);
  EXPECT_EQ(decoder.cells_held(), 0);
}

TEST_F(SharingTest, ComputesARepeatableAnswerTheSameWayEachTime) {
  Asked asked = beginning_with(200, 1);
  asked.repeatable = true;
  std::vector<std::vector<std::size_t>> batches;
  for (int i = 0; i < 3; ++i) {
    ask(beginning_with(200, i));
    run();
    decoder.batches.clear();
    Caller& caller = ask(asked);
    run();
    EXPECT_EQ(text_of(caller), read_off(asked));
    batches.emplace_back();
    for (const auto& batch : decoder.batches) batches.back().push_back(batch.size());
    EXPECT_EQ(batches.back(), batches.front());
    EXPECT_EQ(batches.back().front(), 64u) << "from its first token on";
  }
}

TEST_F(SharingTest, SharesTextBeforeAnImageOnly) {
  std::vector<Asked> all;
  for (int i = 0; i < 6; ++i) {
    Prompt prompt(prompt_of(50, 77));
    prompt.add(table_image(20, 5, i % 2));
    prompt.add(prompt_of(4, 3));
    all.push_back({.prompt = prompt, .tokens_max = 10});
    ask(all.back());
    if (i % 3 == 2) run();
  }
  run();
  expect_right(all);
  EXPECT_EQ(decoder.images, 6);
  EXPECT_LE(computed(), 50 + 6 * (4 + 10));
}

TEST_F(SharingTest, TellsWhatItReadFromTheCacheAndWroteToIt) {
  Asked asked = beginning_with(100, 1);
  const auto usage_of = [&](int cache_point) {
    asked.cache_point = cache_point;
    Caller& caller = ask(asked);
    run();
    return caller.builder.take()->usage;
  };
  const Usage first = usage_of(60);
  EXPECT_EQ(first.input_tokens, 45);
  EXPECT_EQ(first.cache_read_tokens, 0);
  EXPECT_EQ(first.cache_write_tokens, 60);
  const Usage again = usage_of(60);
  EXPECT_EQ(again.input_tokens, 45);
  EXPECT_EQ(again.cache_read_tokens, 60);
  EXPECT_EQ(again.cache_write_tokens, 0);
  const Usage unasked = usage_of(0);
  EXPECT_EQ(unasked.input_tokens, 105);
  EXPECT_EQ(unasked.cache_read_tokens + unasked.cache_write_tokens, 0);
}

TEST_F(SharingTest, LetsHigherPrioritiesGoFirst) {
  options.parallel = 1;
  const Priority priorities[] = {Priority::low, Priority::normal, Priority::high, Priority::normal,
                                 Priority::low};
  for (int i = 0; i < 5; ++i) {
    ask({.prompt = prompt_of(5, i), .tokens_max = 2, .priority = priorities[i]});
  }
  run();
  std::vector<Token> first_prompts;
  for (const auto& batch : decoder.batches) {
    if (batch.front().position == 0) first_prompts.push_back(batch.front().token);
  }
  std::vector<Token> expected;
  for (const int i : {2, 1, 3, 0, 4}) expected.push_back(prompt_of(5, i)[0]);
  EXPECT_EQ(first_prompts, expected);
}

TEST_F(SharingTest, LetsNobodyWaitForEverWhileOthersKeepComing) {
  options.parallel = 1;
  Caller& busy = ask({.prompt = prompt_of(5, 0), .tokens_max = 1});
  Caller& patient = ask({.prompt = prompt_of(5, 1), .tokens_max = 1, .priority = Priority::low});
  const SteadyTime began = now;
  while (!patient.builder.complete() && now - began < 10min) {
    if (busy.builder.complete()) now += 5s;
    ask({.prompt = prompt_of(5, 2), .tokens_max = 1});
    step();
    for (Caller& caller : callers) caller.read();
  }
  EXPECT_TRUE(patient.builder.complete());
  EXPECT_GE(now - began, 60s) << "those of the default tier go first for a while";
  EXPECT_LE(now - began, 200s);
}

}  // namespace
}  // namespace craton::engines::llama
