// What choosing a token costs, by what the request asks for, and so what a step of many answers
// waits for between two batches.
//
// usage: craton_bench_sampling [ROUNDS]
// Prints one JSON object: medians of microseconds a token, by one thread, of a vocabulary of
// 151,936 (Qwen's), whose logits are drawn from a normal distribution as wide as a model's are,
// each token's new.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "engines/llama/sampler.h"

namespace craton::engines::llama {
namespace {

constexpr std::size_t vocabulary = 151'936;
constexpr float width = 2.5F;
constexpr int outstanding = 64;
constexpr float highest = 22.0F;
constexpr int rows = 32;  // 19 MB: as after a batch of 32, they are in no near cache

std::vector<std::vector<float>> make_logits() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, width);
  std::vector<std::vector<float>> all(rows, std::vector<float>(vocabulary));
  for (auto& logits : all) {
    for (float& logit : logits) logit = normal(random);
    for (int i = 0; i < outstanding; ++i) {
      logits[random() % vocabulary] = highest - 0.4F * static_cast<float>(i);
    }
  }
  return all;
}

double microseconds(const SamplingPlan& plan, const std::vector<std::vector<float>>& all,
                    const TokenFilter* filter) {
  Sampler sampler(plan);
  const auto began = std::chrono::steady_clock::now();
  for (const auto& logits : all) sampler.choose(logits, filter);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  return took.count() / rows;
}

/// Of a hundred tokens one may come next.
class Few : public TokenFilter {
 public:
  bool allows(Token token) const override { return token % 100 == 0; }
};

int run(int rounds) {
  const auto all = make_logits();
  const Few few;
  struct Row {
    const char* name;
    SamplingPlan plan;
    const TokenFilter* filter = nullptr;
  };
  const Row table[] = {
      {"greedy_us", {.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1}},
      {"penalised_us",
       {.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1, .frequency_penalty = 0.5F}},
      {"by_chance_us", {.temperature = 0.7F, .top_p = 0.95F, .top_k = 40, .seed = 1}},
      {"without_top_k_us", {.temperature = 0.7F, .top_p = 0.9F, .top_k = 0, .seed = 1}},
      {"of_all_us", {.temperature = 0.7F, .top_p = 1, .top_k = 0, .seed = 1}},
      {"few_allowed_us", {.temperature = 0, .top_p = 1, .top_k = 0, .seed = 1}, &few},
      {"few_allowed_by_chance_us",
       {.temperature = 0.7F, .top_p = 0.95F, .top_k = 40, .seed = 1},
       &few}};
  std::printf("{\"rounds\":%d", rounds);
  for (const Row& row : table) {
    std::vector<double> values;
    for (int i = 0; i < rounds; ++i) values.push_back(microseconds(row.plan, all, row.filter));
    std::ranges::sort(values);
    std::printf(",\"%s\":%.1f", row.name, values[values.size() / 2]);
  }
  std::printf("}\n");
  return 0;
}

}  // namespace
}  // namespace craton::engines::llama

int main(int argc, char** argv) {
  return craton::engines::llama::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 15);
}
