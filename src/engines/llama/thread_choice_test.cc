#include "engines/llama/thread_choice.h"

#include <gtest/gtest.h>

namespace craton::engines::llama {
namespace {

/// How many of `batches` were computed by all four threads, where these cost what `seconds` says.
template <class Seconds>
int by_all(ThreadChoice& choice, int tokens, int batches, Seconds seconds) {
  int all = 0;
  for (int i = 0; i < batches; ++i) {
    const int threads = choice.threads_for(tokens);
    EXPECT_TRUE(threads == 1 || threads == 4);
    choice.observe(tokens, threads, seconds(threads));
    all += threads == 4 ? 1 : 0;
  }
  return all;
}

double free_cores(int threads) { return 0.01 / threads; }
double busy_cores(int threads) { return threads == 1 ? 0.01 : 0.4; }

TEST(ThreadChoice, TakesWhatIsSooner) {
  ThreadChoice choice(4);
  EXPECT_GE(by_all(choice, 20, 240, free_cores), 225);
  EXPECT_LE(by_all(choice, 20, 240, busy_cores), 20);
  EXPECT_GE(by_all(choice, 20, 240, free_cores), 160)
      << "and finds out when the cores are free again";
}

TEST(ThreadChoice, KnowsEachSizeForItself) {
  ThreadChoice choice(4);
  by_all(choice, 8, 100, busy_cores);
  EXPECT_GE(by_all(choice, 500, 100, free_cores), 90);
}

TEST(ThreadChoice, HasNoneWhereThereIsOneThread) {
  ThreadChoice choice(1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(choice.threads_for(i), 1);
    choice.observe(i, 1, 0.1);
  }
}

}  // namespace
}  // namespace craton::engines::llama
