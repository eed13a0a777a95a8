// What a token sees of the KV cache: its own sequence up to itself, however the batches were cut
// and whatever else they held. llama.cpp makes the mask in one way for sequences with few tokens in
// a batch and in another for those with many (cmake/llama.cpp.cells.patch).
#include "engines/llama/loaded_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "engines/llama/test_models.h"

namespace craton::engines::llama {
namespace {

using Tokens = std::vector<Token>;
using Logits = std::vector<float>;

class LoadedModelTest : public testing::Test {
 protected:
  LoadedModelTest() {
    auto loaded = LoadedModel::load({.path = path_of(smollm),
                                     .threads = 2,
                                     .context_tokens = 256,
                                     .cells = 1024,
                                     .parallel = 4,
                                     .outputs = 8},
                                    stop_);
    if (loaded) model_ = std::move(*loaded);
  }

  static Tokens tokens_of(unsigned seed, std::size_t count) {
    std::minstd_rand random(seed);
    Tokens tokens(count);
    for (Token& token : tokens) token = 1000 + static_cast<Token>(random() % 20'000);
    return tokens;
  }

  /// The next `count` tokens of `text`, of which `done` are computed, for sequence `sequence`.
  static void append(std::vector<BatchEntry>& batch, const Tokens& text, std::size_t& done,
                     std::size_t count, int sequence) {
    for (std::size_t i = 0; i < count && done < text.size(); ++i, ++done) {
      batch.push_back({.token = text[done],
                       .position = static_cast<int>(done),
                       .sequence = sequence,
                       .wants_logits = done + 1 == text.size()});
    }
  }

  Logits logits_of(const std::vector<BatchEntry>& batch, int sequence) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].sequence != sequence || !batch[i].wants_logits) continue;
      const auto logits = model_->logits(i);
      return {logits.begin(), logits.end()};
    }
    return {};
  }

  /// Of the token behind `text`, computed alone and at once.
  Logits alone(const Tokens& text) {
    std::vector<BatchEntry> batch;
    std::size_t done = 0;
    append(batch, text, done, text.size(), 3);
    EXPECT_EQ(model_->decode(batch), DecodeStatus::done);
    Logits logits = logits_of(batch, 3);
    model_->forget(3, 0);
    return logits;
  }

  /// The root of the mean square of what they differ by.
  static double distance(const Logits& a, const Logits& b) {
    if (a.size() != b.size() || a.empty()) return INFINITY;
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2);
    return std::sqrt(sum / static_cast<double>(a.size()));
  }

  std::atomic<bool> stop_ = false;
  std::unique_ptr<LoadedModel> model_;
};

TEST_F(LoadedModelTest, ATokenSeesItsSequenceAndNothingElse) {
  ASSERT_TRUE(model_);
  Tokens first = tokens_of(1, 60);
  Tokens second = tokens_of(2, 57);
  std::copy_n(first.begin(), 14, second.begin());  // they begin alike
  const Tokens third = tokens_of(3, 50);
  const Tokens* texts[] = {&first, &second, &third};
  Logits wanted[3];
  // What a single wrong token makes out, far from the end. What the cut of batches does to the last
  // bits of numbers is a tenth of that.
  double other_token[3];
  for (int i = 0; i < 3; ++i) {
    wanted[i] = alone(*texts[i]);
    Tokens changed = *texts[i];
    changed[20] = 5;
    other_token[i] = distance(alone(changed), wanted[i]);
  }

  std::size_t done[] = {0, 14, 0};
  std::vector<BatchEntry> batch;
  append(batch, first, done[0], 14, 0);
  ASSERT_EQ(model_->decode(batch), DecodeStatus::done);
  model_->share(0, 1, 14);
  Logits seen[3];
  for (std::size_t step = 0; done[0] < 60 || done[1] < 57 || done[2] < 50; ++step) {
    batch.clear();
    append(batch, first, done[0], 1 + step % 3, 0);             // few tokens
    append(batch, second, done[1], step % 4 == 3 ? 12 : 1, 1);  // now few, now many
    append(batch, third, done[2], step % 2 == 0 ? 9 : 8, 2);    // about where the ways part
    ASSERT_EQ(model_->decode(batch), DecodeStatus::done);
    for (int i = 0; i < 3; ++i) {
      if (Logits logits = logits_of(batch, i); !logits.empty()) seen[i] = std::move(logits);
    }
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_LT(distance(seen[i], wanted[i]), other_token[i] / 2) << "sequence " << i;
  }
}

}  // namespace
}  // namespace craton::engines::llama
