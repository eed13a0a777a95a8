#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "engines/llama/scheduler_fixture.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;

TEST_F(SchedulerTest, GivesTheAnswerThatTheModelGives) {
  const Asked asked{.prompt = prompt_of(10, 1)};
  Caller& caller = ask(asked);
  run();
  EXPECT_EQ(text_of(caller), read_off(asked));
}

TEST_F(SchedulerTest, HasNothingToDoWithoutRequests) { EXPECT_FALSE(step()); }

TEST_F(SchedulerTest, GivesEachOfManyTheAnswerThatItGetsAlone) {
  std::vector<Asked> all;
  for (int i = 0; i < 25; ++i)
    all.push_back({.prompt = prompt_of(1 + i * 13 % 150, i), .tokens_max = 60});
  for (const Asked& asked : all) ask(asked);
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, PutsAllRunningAnswersIntoOneBatch) {
  for (int i = 0; i < 4; ++i) ask({.prompt = prompt_of(3, i), .tokens_max = 200});
  step();
  step();
  std::set<int> sequences;
  for (const BatchEntry& entry : decoder.batches.back()) sequences.insert(entry.sequence);
  EXPECT_GE(sequences.size(), 3u);
  EXPECT_EQ(decoder.batches.back().size(), sequences.size()) << "one token each";
}

TEST_F(SchedulerTest, ComputesALongPromptInPiecesWhileAnswersGoOn) {
  Caller& running =
      ask({.prompt = std::vector<Token>{9, 9, 9}, .tokens_max = 1000, .context_tokens = 4096});
  step();
  ask({.prompt = prompt_of(300, 2)});
  for (int i = 0; i < 5; ++i) {
    step();
    if (running.builder.complete()) break;
    const auto& batch = decoder.batches.back();
    EXPECT_EQ(batch.front().sequence, 0) << "the running answer's token comes first";
    EXPECT_LE(batch.size(), 1u + 16u);
  }
}

TEST_F(SchedulerTest, AdmitsInTheOrderOfArrival) {
  options.parallel = 1;
  for (int i = 0; i < 3; ++i) ask({.prompt = prompt_of(5, i)});
  std::vector<Token> first_prompts;
  run();
  for (const auto& batch : decoder.batches) {
    if (batch.front().position == 0) first_prompts.push_back(batch.front().token);
  }
  EXPECT_EQ(first_prompts,
            (std::vector<Token>{prompt_of(5, 0)[0], prompt_of(5, 1)[0], prompt_of(5, 2)[0]}));
}

TEST_F(SchedulerTest, EvictsTheNewestWhenTheCellsRunOutAndLosesNothing) {
  options.cells = decoder.cells = 160;
  std::vector<Asked> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back({.prompt = prompt_of(20, i), .tokens_max = 120, .context_tokens = 160});
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
}

TEST_F(SchedulerTest, CountsEachPromptAndTokenOnceWhateverIsComputedAgain) {
  options.cells = decoder.cells = 160;
  std::uint64_t generated = 0;
  for (int i = 0; i < 8; ++i) {
    const Asked asked{.prompt = prompt_of(20, i), .tokens_max = 120, .context_tokens = 160};
    ask(asked);
  }
  run();
  for (Caller& caller : callers) {
    auto answer = caller.builder.take();
    ASSERT_TRUE(answer);
    generated += static_cast<std::uint64_t>(answer->usage.output_tokens);
  }
  EXPECT_GT(scheduler().stats().evictions, 0u);
  EXPECT_EQ(scheduler().stats().prompt_tokens, 8u * 20u);
  EXPECT_EQ(scheduler().stats().generated_tokens, generated);
}

TEST_F(SchedulerTest, CopesWithADecoderThatHasFewerCellsThanItSaid) {
  options.cells = 4096;
  decoder.cells = 150;
  std::vector<Asked> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back({.prompt = prompt_of(30, i), .tokens_max = 60});
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
}

TEST_F(SchedulerTest, FailsWhatDoesNotEvenFitAlone) {
  decoder.cells = 50;
  Caller& caller = ask({.prompt = prompt_of(100, 1)});
  run();
  EXPECT_EQ(failure_of(caller), ErrorCode::model_error);
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, ComputesSmallerBatchesWhereLargeOnesFail) {
  decoder.batch_works = 3;
  std::vector<Asked> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back({.prompt = prompt_of(40, i)});
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
}

TEST_F(SchedulerTest, ComputesAgainWhatARecurrentModelCannotDropInPart) {
  decoder.recurrent = true;
  decoder.batch_works = 5;
  std::vector<Asked> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back({.prompt = prompt_of(4, i)});
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
}

TEST_F(SchedulerTest, FailsOnlyTheRequestThatMakesBatchesFail) {
  const Asked good{.prompt = prompt_of(10, 1)};
  const Asked bad{.prompt = std::vector<Token>{5, 6, poison, 7}};
  Caller& before = ask(good);
  Caller& culprit = ask(bad);
  Caller& after = ask(good);
  run();
  EXPECT_EQ(text_of(before), read_off(good));
  EXPECT_EQ(failure_of(culprit), ErrorCode::model_error);
  EXPECT_EQ(text_of(after), read_off(good));
}

TEST_F(SchedulerTest, FailsWhenTheModelGivesNoNumbers) {
  decoder.broken = true;
  Caller& caller = ask({.prompt = prompt_of(5, 1)});
  run();
  EXPECT_EQ(failure_of(caller), ErrorCode::model_error);
}

TEST_F(SchedulerTest, FreesWhatAGivenUpAnswerHeldBeforeTheNextBatch) {
  Caller& stays = ask({.prompt = prompt_of(5, 1), .tokens_max = 500});
  Caller& leaves = ask({.prompt = prompt_of(50, 2), .tokens_max = 500});
  step();
  leaves.generation->cancel();
  step();
  for (const BatchEntry& entry : decoder.batches.back()) {
    EXPECT_EQ(entry.sequence, decoder.batches.front().front().sequence);
  }
  EXPECT_LT(scheduler().pinned_cells(), 50);
  EXPECT_EQ(scheduler().running(), 1u);
  stays.generation->cancel();
  EXPECT_FALSE(step());
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, DropsAGivenUpRequestThatStillWaits) {
  options.parallel = 1;
  ask({.prompt = prompt_of(5, 1), .tokens_max = 500});
  Caller& waits = ask({.prompt = prompt_of(5, 2)});
  step();
  EXPECT_EQ(scheduler().waiting(), 1u);
  waits.generation->cancel();
  step();
  EXPECT_EQ(scheduler().waiting(), 0u);
}

TEST_F(SchedulerTest, EndsWhatIsPastItsDeadlineWhereverItIs) {
  options.parallel = 1;
  Caller& running = ask({.prompt = prompt_of(5, 1), .tokens_max = 500, .deadline = now + 2s});
  Caller& waiting = ask({.prompt = prompt_of(5, 2), .deadline = now + 1s});
  step();
  EXPECT_EQ(scheduler().next_deadline(), now + 1s);
  now += 1s;
  step();
  EXPECT_EQ(failure_of(waiting), ErrorCode::model_timeout);
  EXPECT_EQ(scheduler().running(), 1u);
  now += 1s;
  EXPECT_FALSE(step());
  EXPECT_EQ(failure_of(running), ErrorCode::model_timeout);
  EXPECT_EQ(scheduler().next_deadline(), std::nullopt);
}

TEST_F(SchedulerTest, PausesOnlyTheAnswerWhoseReaderIsSlow) {
  options.cells = 1 << 16;
  const Asked slow_asked = long_answer(Generation::events_max + 100);
  Caller& slow = ask(slow_asked);
  const Asked quick_asked{.prompt = prompt_of(7, 3)};
  int steps = 0;
  while (step()) ASSERT_LT(++steps, 5000);
  EXPECT_GE(steps, static_cast<int>(Generation::events_max) - 1) << "as far as there is room";
  EXPECT_EQ(scheduler().running(), 1u);

  Caller& quick = ask(quick_asked);
  while (step()) quick.read();
  quick.read();
  EXPECT_EQ(text_of(quick), read_off(quick_asked));

  slow.read();
  run();
  EXPECT_EQ(text_of(slow), read_off(slow_asked)) << "nothing is lost by the pause";
}

TEST_F(SchedulerTest, FreesTheCellsOfAFinishedAnswerThatIsNotReadYet) {
  options.cells = 1 << 16;
  Asked asked = long_answer(Generation::events_max);
  asked.tokens_max =
      Generation::events_max - 1;  // with the start, the queue is full: the stop waits
  Caller& caller = ask(asked);
  while (step()) {
  }
  EXPECT_EQ(scheduler().running(), 0u);
  EXPECT_EQ(scheduler().pinned_cells(), 0);
  EXPECT_FALSE(caller.builder.complete());
  caller.read();
  step();
  caller.read();
  EXPECT_EQ(text_of(caller), read_off(asked));
}

TEST_F(SchedulerTest, SaysWhyAnAnswerEnded) {
  const Asked asked = long_answer(100);
  Answer answer = answered(asked, decoder);
  EXPECT_EQ(answer.stop_reason, StopReason::end_turn);
  EXPECT_EQ(answer.usage.input_tokens, 4);
  EXPECT_EQ(answer.usage.output_tokens, static_cast<int>(answer.text().size()) + 1)
      << "and the end";

  Asked short_one = asked;
  short_one.tokens_max = 10;
  answer = answered(short_one, decoder);
  EXPECT_EQ(answer.stop_reason, StopReason::max_tokens);
  EXPECT_EQ(answer.usage.output_tokens, 10);
  EXPECT_EQ(answer.text().size(), 10u);

  Asked narrow = asked;
  narrow.context_tokens = 4 + 20;
  answer = answered(narrow, decoder);
  EXPECT_EQ(answer.stop_reason, StopReason::full_context);
  EXPECT_EQ(answer.usage.output_tokens, 20);

  narrow.tokens_max = 20;
  EXPECT_EQ(answered(narrow, decoder).stop_reason, StopReason::max_tokens) << "both at once";

  Asked stopped = asked;
  stopped.stop_sequences = {read_off(asked).substr(30, 3)};
  answer = answered(stopped, decoder);
  EXPECT_EQ(answer.stop_reason, StopReason::stop_sequence);
  EXPECT_EQ(answer.stop_sequence, stopped.stop_sequences[0]);
  EXPECT_EQ(answer.text(),
            read_off(asked).substr(0, read_off(asked).find(stopped.stop_sequences[0])));
}

TEST_F(SchedulerTest, GivesNoTextWhenNoneIsAskedFor) {
  for (const int none : {0, -5, std::numeric_limits<int>::min()}) {
    const Answer answer = answered({.prompt = prompt_of(5, 1), .tokens_max = none}, decoder);
    EXPECT_EQ(answer.text(), "");
    EXPECT_EQ(answer.stop_reason, StopReason::max_tokens);
    EXPECT_EQ(answer.usage.output_tokens, 0);
  }
}

TEST_F(SchedulerTest, EndsEveryAnswerWhenItIsTold) {
  options.parallel = 1;
  Caller& running = ask({.prompt = prompt_of(5, 1), .tokens_max = 500});
  Caller& waiting = ask({.prompt = prompt_of(5, 2)});
  Caller& left = ask({.prompt = prompt_of(5, 2)});
  step();
  left.generation->cancel();
  scheduler().fail_all({ErrorCode::service_unavailable, "stopped"});
  EXPECT_EQ(failure_of(running), ErrorCode::service_unavailable);
  EXPECT_EQ(failure_of(waiting), ErrorCode::service_unavailable);
  left.read();
  EXPECT_FALSE(left.builder.complete()) << "nobody is there to be told";
  EXPECT_EQ(scheduler().pinned_cells(), 0);
  EXPECT_FALSE(step());
}

}  // namespace
}  // namespace craton::engines::llama
