// What counting costs: a request's share and a token's, as the service counts them, and a page of
// /metrics.
//
// usage: craton_bench_metrics [ROUNDS]
// Prints one JSON object: medians of CPU time in nanoseconds, by one thread and by two at the same
// series.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "metrics/page.h"
#include "service/service_metrics.h"

namespace craton {
namespace {

using service::AnswerLabels;
using service::AnswerTimer;
using service::ServiceMetrics;
using std::chrono::steady_clock;

constexpr int requests = 20'000;
constexpr int tokens = 200'000;
constexpr AnswerLabels answer{"chat", "anthropic.claude-3-haiku-20240307-v1:0",
                              "qwen2.5-coder-0.5b-instruct"};

/// One request of one token, from its timer to its end.
void count_requests(const std::shared_ptr<ServiceMetrics>& metrics) {
  const Event last = Usage{.input_tokens = 12, .output_tokens = 1};
  for (int i = 0; i < requests; ++i) {
    AnswerTimer timer(metrics, answer, steady_clock::now(), AnswerTimer::What::everything);
    timer.note(last);
    metrics->finished({"Converse", 200, {}, std::chrono::milliseconds(120), answer});
  }
}

void count_tokens(const std::shared_ptr<ServiceMetrics>& metrics) {
  AnswerTimer timer(metrics, answer, steady_clock::now(), AnswerTimer::What::everything);
  Event event = TextDelta{" word", 0, {}};
  for (int i = 0; i < tokens; ++i) {
    std::get<TextDelta>(event).output_tokens = i;
    timer.note(event);
  }
}

void write_page(const std::shared_ptr<ServiceMetrics>& metrics) {
  metrics::Page page(metrics::Format::prometheus);
  metrics->write(page);
  page.take();
}

double cpu_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// CPU nanoseconds of one of the `count` things that `work` does, on each of `threads`.
double cost(void (*work)(const std::shared_ptr<ServiceMetrics>&), int count, int threads) {
  const auto metrics = std::make_shared<ServiceMetrics>();
  count_requests(metrics);
  const double began = cpu_nanoseconds();
  std::vector<std::thread> all;
  for (int i = 1; i < threads; ++i) all.emplace_back(work, metrics);
  work(metrics);
  for (std::thread& thread : all) thread.join();
  return (cpu_nanoseconds() - began) / count / threads;
}

double median_of(int rounds, const std::function<double()>& measure) {
  std::vector<double> values;
  for (int i = 0; i < rounds; ++i) values.push_back(measure());
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(int rounds) {
  struct Row {
    const char* name;
    void (*work)(const std::shared_ptr<ServiceMetrics>&);
    int count;
    int threads;
  };
  constexpr Row rows[] = {{"request_ns", count_requests, requests, 1},
                          {"request_two_threads_ns", count_requests, requests, 2},
                          {"token_ns", count_tokens, tokens, 1},
                          {"token_two_threads_ns", count_tokens, tokens, 2},
                          {"page_ns", write_page, 1, 1}};
  std::printf("{\"rounds\":%d", rounds);
  for (const Row& row : rows) {
    std::printf(",\"%s\":%.1f", row.name,
                median_of(rounds, [&] { return cost(row.work, row.count, row.threads); }));
  }
  std::printf("}\n");
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) { return craton::run(argc > 1 ? std::atoi(argv[1]) : 9); }
