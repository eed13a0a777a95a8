// Thousands of loads that nobody thought of, in the scheduler.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "base/log.h"
#include "engines/llama/scheduler_fixture.h"

namespace craton::engines::llama {
namespace {

/// Arrivals, departures and evictions at random, with little room: nothing is lost, doubled or
/// starved.
class RandomLoad : public SharingTest, public testing::WithParamInterface<int> {
 protected:
  RandomLoad() { log::set_level(log::Level::off); }
  ~RandomLoad() override { log::set_level(log::Level::info); }
};

TEST_P(RandomLoad, GivesEveryAnswerAsIfItWereAlone) {
  Crew crew(2);
  for (int round = 0; round < 20; ++round) {
    std::minstd_rand random(static_cast<unsigned>(GetParam() * 20 + round) + 1);
    const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
    TableDecoder table;
    table.cells = 120 + below(300);
    table.batch_works = below(4) == 0 ? 1 + below(20) : 1 << 20;
    table.recurrent = below(5) == 0;
    table.period = below(2) * (1 + static_cast<std::size_t>(below(6)));
    const int parallel = 1 + below(8);
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
                                .drafter = below(2) == 0 ? &drafter : nullptr,
                                .crew = below(2) == 0 ? &crew : nullptr});
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
        scheduler.add(request_of(asked.back(), caller.generation,
                                 SteadyTime(std::chrono::seconds(below(100)))));
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
