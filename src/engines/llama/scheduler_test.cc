#include "engines/llama/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <random>
#include <set>

#include "base/log.h"
#include "engines/llama/table_decoder.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;

class SchedulerTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_FALSE(decoder.gap);
    EXPECT_FALSE(decoder.unasked);
    EXPECT_EQ(decoder.cells_held(), scheduler().cells())
        << "the scheduler counts as the cache does";
  }

  struct Caller {
    std::shared_ptr<Generation> generation = std::make_shared<Generation>();
    AnswerBuilder builder;

    void read() {
      while (auto event = generation->try_next()) builder.add(std::move(*event));
    }
  };

  Caller& ask(const Asked& asked) {
    Caller& caller = callers.emplace_back();
    scheduler().add({.prompt = asked.prompt,
                     .context_tokens = asked.context_tokens,
                     .tokens_max = asked.tokens_max,
                     .deadline = asked.deadline,
                     .sampler = Sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 0}),
                     .assembler = AnswerAssembler({.stop_sequences = asked.stop_sequences}),
                     .priority = asked.priority,
                     .arrived = now,
                     .repeatable = asked.repeatable,
                     .cache_point = asked.cache_point,
                     .generation = caller.generation,
                     .place = nullptr});
    return caller;
  }

  Scheduler& scheduler() {
    if (!scheduler_) scheduler_ = std::make_unique<Scheduler>(decoder, options);
    return *scheduler_;
  }

  bool step() { return scheduler().step(now); }

  /// Steps until nothing is left to do; every caller reads at once.
  void run() {
    for (int steps = 0; step(); ++steps) {
      ASSERT_LT(steps, 100'000) << "it goes on for ever";
      for (Caller& caller : callers) caller.read();
    }
    for (Caller& caller : callers) caller.read();
  }

  static std::string text_of(Caller& caller) {
    EXPECT_TRUE(caller.builder.complete()) << "no answer";
    auto answer = caller.builder.take();
    return answer ? answer->text() : "failed: " + answer.error().error.message;
  }

  static ErrorCode failure_of(Caller& caller) {
    caller.read();
    EXPECT_TRUE(caller.builder.complete()) << "no failure";
    auto answer = caller.builder.take();
    EXPECT_FALSE(answer) << "an answer, no failure";
    return answer ? ErrorCode::internal_server : answer.error().error.code;
  }

  TableDecoder decoder;
  SchedulerOptions options{
      .cells = 4096, .parallel = 4, .batch_tokens = 64, .prompt_tokens_beside_answers = 16};
  std::deque<Caller> callers;
  SteadyTime now{};

 private:
  std::unique_ptr<Scheduler> scheduler_;
};

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

/// A prompt whose answer is long; the table decides.
Asked long_answer(std::size_t least) {
  for (int seed = 0;; ++seed) {
    Asked asked{.prompt = prompt_of(4, seed), .tokens_max = std::nullopt};
    if (const auto size = read_off(asked).size(); size > least && size < 4000) return asked;
  }
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

/// As with M-RoPE: an image takes fewer positions than cells.
Asked seeing(int seed, int cells = 20, int positions = 5) {
  Prompt prompt = prompt_with_image(prompt_of(6, seed), table_image(cells, positions, seed),
                                    prompt_of(3, seed + 1));
  prompt.add(table_image(cells / 2, positions, seed + 7));
  prompt.add(prompt_of(9, seed + 2));
  return {.prompt = std::move(prompt), .tokens_max = 60};
}

TEST_F(SchedulerTest, SeesImagesAmongTheTokensOfAPrompt) {
  Prompt image_first(std::vector<Token>{});
  image_first.add(table_image(30, 30));
  image_first.add(prompt_of(1, 1));
  Prompt side_by_side = prompt_with_image(prompt_of(100, 3), table_image(4, 2, 1), {});
  side_by_side.add(table_image(7, 3, 2));
  side_by_side.add(prompt_of(80, 4));
  const Asked all[] = {
      seeing(1), seeing(2, 300, 300), {.prompt = image_first}, {.prompt = side_by_side}};
  for (const Asked& asked : all) {
    Caller& caller = ask(asked);
    run();
    EXPECT_EQ(text_of(caller), read_off(asked));
  }
  EXPECT_EQ(decoder.images, 2 + 2 + 1 + 2) << "each once";
}

TEST_F(SchedulerTest, AnswersWithAndWithoutImagesBesideEachOther) {
  std::vector<Asked> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(i % 3 == 0 ? seeing(i) : Asked{.prompt = prompt_of(1 + i * 13 % 150, i)});
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, LetsRunningAnswersGoOnBetweenImages) {
  Caller& running = ask({.prompt = std::vector<Token>{9, 9, 9}, .tokens_max = 1000});
  step();
  Prompt many;
  for (int i = 0; i < 10; ++i) many.add(table_image(5, 5, i));
  many.add(prompt_of(2, 2));
  ask({.prompt = many});
  for (int images = 0; images < 10 && !running.builder.complete(); ++images) {
    const std::size_t batches = decoder.batches.size();
    step();
    step();
    EXPECT_EQ(decoder.images, images + 1);
    EXPECT_EQ(decoder.batches.size(), batches + 1);
  }
}

TEST_F(SchedulerTest, ComputesImagesAgainAfterAnEviction) {
  options.cells = decoder.cells = 160;
  std::vector<Asked> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(seeing(i));
    all.back().tokens_max = 100;
    all.back().context_tokens = 160;
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_GT(decoder.images, 16) << "some were evicted, or the test shows nothing";
}

TEST_F(SchedulerTest, MakesRoomForAnImageWhereTheDecoderHasFewerCellsThanItSaid) {
  decoder.cells = 130;
  std::vector<Asked> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(seeing(i));
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
}

TEST_F(SchedulerTest, KeepsItsImagesThroughFailedBatches) {
  decoder.batch_works = 2;
  const Asked all[] = {seeing(1), {.prompt = prompt_of(30, 9)}, seeing(2)};
  for (const Asked& asked : all) ask(asked);
  run();
  for (std::size_t i = 0; i < std::size(all); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_EQ(decoder.images, 4) << "what is computed stays";
}

TEST_F(SchedulerTest, FailsOnlyTheRequestWhoseImageCannotBeComputed) {
  ImagePiece broken = table_image(6, 6);
  broken.embeddings[3] = broken_pixel;
  const Asked good = seeing(1);
  Caller& before = ask(good);
  Caller& culprit = ask({.prompt = prompt_with_image(prompt_of(4, 1), broken, prompt_of(4, 2))});
  Caller& after = ask(good);
  run();
  EXPECT_EQ(text_of(before), read_off(good));
  EXPECT_EQ(failure_of(culprit), ErrorCode::model_error);
  EXPECT_EQ(text_of(after), read_off(good));
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, FailsWhatHasAnImageThatDoesNotEvenFitAlone) {
  decoder.cells = 50;
  Caller& caller =
      ask({.prompt = prompt_with_image(prompt_of(4, 1), table_image(60, 8), prompt_of(4, 2))});
  run();
  EXPECT_EQ(failure_of(caller), ErrorCode::model_error);
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

Answer answered(const Asked& asked, TableDecoder& decoder) {
  Scheduler scheduler(decoder, {.cells = 4096});
  auto generation = std::make_shared<Generation>();
  AnswerBuilder builder;
  scheduler.add({.prompt = asked.prompt,
                 .context_tokens = asked.context_tokens,
                 .tokens_max = asked.tokens_max,
                 .deadline = asked.deadline,
                 .sampler = Sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 0}),
                 .assembler = AnswerAssembler({.stop_sequences = asked.stop_sequences}),
                 .generation = generation,
                 .place = nullptr});
  while (!builder.complete() && scheduler.step({})) {
    while (auto event = generation->try_next()) builder.add(std::move(*event));
  }
  return builder.take().value();
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

TEST_F(SchedulerTest, CountsTheCellsOfImagesAsTokens) {
  const Asked asked = seeing(1, 20, 5);
  EXPECT_EQ(answered(asked, decoder).usage.input_tokens, 6 + 20 + 3 + 10 + 9);
  Asked narrow = long_answer(100);
  narrow.prompt.add(table_image(20, 5));
  narrow.prompt.add(std::vector<Token>{1});
  narrow.context_tokens = 4 + 20 + 1 + 3;
  const Answer answer = answered(narrow, decoder);
  EXPECT_EQ(answer.text(), read_off(narrow));
  EXPECT_LE(answer.usage.output_tokens, 3);
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

/// `length` tokens that many prompts begin with, and `more` that only this one has.
Asked beginning_with(int length, int seed, int more = 5) {
  std::vector<Token> prompt = prompt_of(length, 77);
  std::ranges::copy(prompt_of(more, seed), std::back_inserter(prompt));
  return {.prompt = std::move(prompt), .tokens_max = 20};
}

class SharingTest : public SchedulerTest {
 protected:
  SharingTest() { options.sequences = 12; }

  int computed() const {
    int tokens = 0;
    for (const auto& batch : decoder.batches) tokens += static_cast<int>(batch.size());
    return tokens;
  }
  void expect_right(const std::vector<Asked>& all) {
    for (std::size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  }
};

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

/// Arrivals, departures and evictions at random, with little room: nothing is lost, doubled or
/// starved.
class RandomLoad : public SharingTest, public testing::WithParamInterface<int> {
 protected:
  RandomLoad() { log::set_level(log::Level::off); }
  ~RandomLoad() override { log::set_level(log::Level::info); }
};

TEST_P(RandomLoad, GivesEveryAnswerAsIfItWereAlone) {
  for (int round = 0; round < 20; ++round) {
    std::minstd_rand random(static_cast<unsigned>(GetParam() * 20 + round) + 1);
    const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
    TableDecoder table;
    table.cells = 120 + below(300);
    table.batch_works = below(4) == 0 ? 1 + below(20) : 1 << 20;
    table.recurrent = below(5) == 0;
    table.period = below(2) * (1 + static_cast<std::size_t>(below(6)));
    const int parallel = 1 + below(5);
    TableDrafter drafter;
    drafter.period = table.period;
    drafter.wrong = static_cast<std::size_t>(below(4));
    Scheduler scheduler(table, {.cells = 120 + below(300),
                                .parallel = parallel,
                                .sequences = parallel + below(4),
                                .batch_tokens = 4 + below(60),
                                .prompt_tokens_beside_answers = 1 + below(16),
                                .outputs_max = parallel + 8,
                                .guessed_max = below(2) * 8,
                                .drafter = below(2) == 0 ? &drafter : nullptr});
    std::deque<Caller> all;
    std::vector<Asked> asked;
    const auto read = [&] {
      for (Caller& caller : all) caller.read();
    };
    for (int deed = 0; deed < 60; ++deed) {
      if (below(3) == 0) {
        std::vector<Token> prompt = prompt_of(below(60), below(2));
        std::ranges::copy(prompt_of(1 + below(20), below(1000)), std::back_inserter(prompt));
        asked.push_back({.prompt = std::move(prompt),
                         .tokens_max = below(30),
                         .context_tokens = 110,
                         .priority = Priority(below(3))});
        Caller& caller = all.emplace_back();
        scheduler.add({.prompt = asked.back().prompt,
                       .context_tokens = asked.back().context_tokens,
                       .tokens_max = asked.back().tokens_max,
                       .deadline = std::nullopt,
                       .sampler = Sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 0}),
                       .assembler = AnswerAssembler(),
                       .priority = asked.back().priority,
                       .arrived = SteadyTime(std::chrono::seconds(below(100))),
                       .generation = caller.generation,
                       .place = nullptr});
      }
      if (!all.empty() && below(20) == 0)
        all[below(static_cast<int>(all.size()))].generation->cancel();
      scheduler.step({});
      read();
      ASSERT_EQ(table.cells_held(), scheduler.cells());
      ASSERT_FALSE(table.gap);
      ASSERT_FALSE(table.unasked);
    }
    for (int steps = 0; scheduler.step({}); ++steps) {
      ASSERT_LT(steps, 100'000);
      read();
    }
    read();
    ASSERT_EQ(scheduler.pinned_cells(), 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].generation->cancelled()) continue;
      ASSERT_TRUE(all[i].builder.complete());
      const auto answer = all[i].builder.take();
      if (answer) {
        ASSERT_EQ(answer->text(), read_off(asked[i], table.period));
      } else {
        ASSERT_LT(table.batch_works, 1000);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLoad, testing::Range(0, 50));

}  // namespace
}  // namespace craton::engines::llama
