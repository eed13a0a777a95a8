// What tests of the scheduler ask it, and a model that is a table (table_decoder.h) for an answer.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/llama/scheduler.h"
#include "engines/llama/table_decoder.h"

namespace craton::engines::llama {

inline Request request_of(const Asked& asked, std::shared_ptr<Generation> generation,
                          SteadyTime arrived = {}) {
  return {.prompt = asked.prompt,
          .context_tokens = asked.context_tokens,
          .tokens_max = asked.tokens_max,
          .deadline = asked.deadline,
          .sampler = Sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 0}),
          .assembler = AnswerAssembler({.stop_sequences = asked.stop_sequences}),
          .priority = asked.priority,
          .arrived = arrived,
          .repeatable = asked.repeatable,
          .cache_point = asked.cache_point,
          .generation = std::move(generation),
          .place = nullptr};
}

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
    scheduler().add(request_of(asked, caller.generation, now));
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

/// A prompt whose answer is long; the table decides.
inline Asked long_answer(std::size_t least) {
  for (int seed = 0;; ++seed) {
    Asked asked{.prompt = prompt_of(4, seed), .tokens_max = std::nullopt};
    if (const auto size = read_off(asked).size(); size > least && size < 4000) return asked;
  }
}

inline Answer answered(const Asked& asked, TableDecoder& decoder) {
  Scheduler scheduler(decoder, {.cells = 4096});
  auto generation = std::make_shared<Generation>();
  AnswerBuilder builder;
  scheduler.add(request_of(asked, generation));
  while (!builder.complete() && scheduler.step({})) {
    while (auto event = generation->try_next()) builder.add(std::move(*event));
  }
  return builder.take().value();
}

/// With room to keep what was asked before.
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

}  // namespace craton::engines::llama
