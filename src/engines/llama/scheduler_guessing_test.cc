// Guesses, in the scheduler.
#include <gtest/gtest.h>

#include "engines/llama/scheduler_fixture.h"

namespace craton::engines::llama {
namespace {

class GuessingTest : public SharingTest {
 protected:
  GuessingTest() {
    options.outputs_max = options.parallel + 16;
    options.guessed_max = 16;
    decoder.period = 7;
  }

  /// Each step takes as long as `fixed` and `per_token` of its batch say.
  void run_timed(int fixed, int per_token) {
    while (step()) {
      now += std::chrono::milliseconds(fixed +
                                       per_token * static_cast<int>(decoder.batches.back().size()));
      for (Caller& caller : callers) caller.read();
      ASSERT_LT(decoder.batches.size(), 100'000u);
    }
    for (Caller& caller : callers) caller.read();
  }
};

TEST_F(GuessingTest, SavesStepsAndChangesNothing) {
  const Asked asked{.prompt = prompt_of(30, 3), .tokens_max = 300};
  const std::string expected = read_off(asked, decoder.period);
  ASSERT_GT(expected.size(), 100u);
  Caller& caller = ask(asked);
  run_timed(15, 5);
  EXPECT_EQ(text_of(caller), expected);
  EXPECT_LT(decoder.batches.size(), expected.size() * 3 / 4);
}

TEST_F(GuessingTest, GuessesNothingWhereATokenCostsAsMuchAsAStep) {
  const Asked asked{.prompt = prompt_of(30, 3), .tokens_max = 300};
  ask(asked);
  run_timed(0, 20);
  EXPECT_GT(computed(), 0);
  EXPECT_LT(computed(), 30 + 300 + 60) << "but for some at first, to learn the cost";
}

TEST_F(GuessingTest, GuessesForSeveralAtOnce) {
  std::vector<Asked> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back({.prompt = prompt_of(10, i), .tokens_max = 100});
    ask(all.back());
  }
  run_timed(15, 1);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i], decoder.period)) << i;
}

TEST_F(GuessingTest, GuessesNoMoreThanIsAskedFor) {
  std::vector<Asked> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back({.prompt = prompt_of(10, 3), .tokens_max = 100 + i, .context_tokens = 105});
    ask(all.back());
    run_timed(15, 1);
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i], decoder.period)) << i;
}

TEST_F(GuessingTest, TakesDraftsWhereAnAnswerIsAlone) {
  decoder.period = 0;  // nothing repeats itself
  TableDrafter drafter;
  drafter.wrong = 5;
  options.drafter = &drafter;
  const Asked asked{.prompt = prompt_of(30, 3), .tokens_max = 300};
  const std::string expected = read_off(asked);
  Caller& caller = ask(asked);
  run_timed(15, 1);
  EXPECT_EQ(text_of(caller), expected);
  EXPECT_LT(decoder.batches.size(), expected.size() * 2 / 3 + 2);
}

}  // namespace
}  // namespace craton::engines::llama
