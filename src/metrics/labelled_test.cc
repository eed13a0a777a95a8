#include "metrics/labelled.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "metrics/instruments.h"

namespace craton::metrics {
namespace {

std::vector<std::string> shown(const Labelled<Counter>& table) {
  std::vector<std::string> lines;
  table.each([&](const std::vector<std::string>& values, const Counter& counter) {
    std::string line;
    for (const std::string& value : values) line += value + " ";
    lines.push_back(line + std::to_string(counter.value()));
  });
  return lines;
}

TEST(Labelled, KeepsOneForEachCombination) {
  Labelled<Counter> table(2, 8);
  table.of({"b", "x"}).add();
  table.of({"a", "y"}).add(5);
  table.of({"b", "x"}).add();
  table.of({"bx", ""}).add();
  EXPECT_EQ(shown(table), (std::vector<std::string>{"a y 5", "b x 2", "bx  1"}));
}

TEST(Labelled, SharesOneBeyondItsBound) {
  Labelled<Counter> table(1, 3);
  for (int i = 0; i < 1000; ++i) table.of({std::to_string(i)}).add();
  table.of({"1"}).add();  // what is there stays
  EXPECT_EQ(shown(table), (std::vector<std::string>{"0 1", "1 2", "2 1", "_OTHER 997"}));
}

TEST(Labelled, CountsWhatAllThreadsAdd) {
  constexpr int threads = 4, rounds = 20'000, values = 12, places = 10;
  Labelled<Counter> table(1, places);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) table.of({std::to_string(i % values)}).add();
    });
  }
  for (std::thread& thread : all) thread.join();
  std::uint64_t sum = 0;
  std::size_t series = 0;
  table.each([&](const auto& labels, const Counter& counter) {
    sum += counter.value();
    series += labels.front() != other_value;
  });
  EXPECT_EQ(sum, std::uint64_t{threads} * rounds);
  EXPECT_LE(series, std::size_t{places});
}

}  // namespace
}  // namespace craton::metrics
