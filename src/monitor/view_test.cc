#include "monitor/view.h"

#include <gtest/gtest.h>

#include "monitor/test_page.h"

namespace craton::monitor {
namespace {

WallTime at(double seconds) {
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(seconds)));
}

TEST(Reading, IsOfACratonServerAlone) {
  const auto page = metrics::read_page("go_goroutines 12\n");
  ASSERT_TRUE(page);
  EXPECT_FALSE(read(*page, 0));
}

TEST(Reading, MakesNamesFitForATerminal) {
  const auto page = metrics::read_page(
      "craton_build_info{version=\"1\"} 1\n"
      "craton_engine_running{model=\"\x1b[31m\xC2\x9B\xff\\nx\"} NaN\n"
      "craton_engine_running{model=\"\x1b[31m\xC2\x9B\xff\\nx\"} 1\n");
  ASSERT_TRUE(page);
  const auto reading = read(*page, 0);
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->models.size(), 1u);
  EXPECT_EQ(reading->models.begin()->first, "?[31m?\xEF\xBF\xBD?x");
  EXPECT_EQ(reading->models.begin()->second.running, 1);
}

TEST(History, BeginsWithWhatHasBeenSinceTheStart) {
  History history;
  history.add(reading_of({.requests = 40, .refused = 10, .tokens = 500}, 7));
  const View view = history.view("url", at(1'100));
  EXPECT_TRUE(view.since_start);
  EXPECT_DOUBLE_EQ(view.uptime, 100);
  EXPECT_DOUBLE_EQ(view.requests_per_s, 55 / 100.0);  // those whose callers left are requests
  EXPECT_DOUBLE_EQ(view.errors_per_s, 0.1);           // but no errors
  ASSERT_EQ(view.models.size(), 1u);
  EXPECT_DOUBLE_EQ(view.models[0].generated_tokens_per_s, 5);
  EXPECT_FALSE(view.models[0].hit_rate);
}

TEST(History, TakesRatesOfTheLastTwoReadingsAndLatenciesOfTheLastMinute) {
  History history;
  history.add(reading_of({.requests = 100, .prompts = 10, .hits = 10, .fast = 50}, 0));
  history.add(reading_of({.requests = 110, .prompts = 10, .hits = 10, .fast = 50, .slow = 50}, 50));
  history.add(reading_of(
      {.requests = 114, .tokens = 80, .prompts = 110, .hits = 85, .fast = 50, .slow = 50}, 52));
  View view = history.view("url", at(1'100));
  EXPECT_FALSE(view.since_start);
  EXPECT_DOUBLE_EQ(view.requests_per_s, 2);
  EXPECT_DOUBLE_EQ(view.models[0].generated_tokens_per_s, 40);
  EXPECT_DOUBLE_EQ(*view.models[0].hit_rate, 0.75);
  EXPECT_DOUBLE_EQ(view.models[0].inter_token.count, 50);
  EXPECT_DOUBLE_EQ(view.models[0].inter_token.p50->value, 0.055);
  EXPECT_DOUBLE_EQ(view.latency_time, 52);
  history.add(reading_of({.requests = 114,
                          .tokens = 80,
                          .prompts = 110,
                          .hits = 85,
                          .fast = 50,
                          .slow = 50,
                          .stuck = 1},
                         111));
  view = history.view("url", at(1'100));
  EXPECT_DOUBLE_EQ(view.latency_time, 61);
  EXPECT_DOUBLE_EQ(view.models[0].inter_token.count, 1);
  EXPECT_TRUE(view.models[0].inter_token.p50->above);
}

TEST(History, ForgetsAServerThatWasStartedAnew) {
  History history;
  history.add(reading_of({.requests = 1'000}, 0));
  history.add(reading_of({.requests = 2'000}, 1));
  history.add(reading_of({.requests = 3, .started = 2'000}, 2));
  const View view = history.view("url", at(2'010));
  EXPECT_TRUE(view.since_start);
  EXPECT_DOUBLE_EQ(view.requests_per_s, 0.8);
}

TEST(History, IsBounded) {
  History history;
  for (int i = 0; i < 5'000; ++i) history.add(reading_of({.requests = i}, i * 1e-3));
  EXPECT_LE(history.view("url", at(1'100)).latency_time, 1.1);
}

TEST(View, LeavesOutOperationsThatNobodyAskedFor) {
  History history;
  history.add(reading_of({.requests = 5}, 0));
  history.add(reading_of({.requests = 5}, 1));
  EXPECT_TRUE(history.view("url", at(1'100)).operations.empty());
  history.add(reading_of({.requests = 6}, 2));
  EXPECT_EQ(history.view("url", at(1'100)).operations.size(), 1u);
}

}  // namespace
}  // namespace craton::monitor
