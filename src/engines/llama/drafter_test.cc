#include "engines/llama/drafter.h"

#include <gtest/gtest.h>

#include "engines/llama/table_decoder.h"

namespace craton::engines::llama {
namespace {

using Tokens = std::vector<Token>;

constexpr ModelDrafter::Bounds bounds{.cells = 256, .batch_tokens = 16, .vocabulary = vocabulary};

/// A decoder that is sure of what follows.
class SureDecoder : public TableDecoder {
 public:
  std::span<const float> logits(std::size_t index) override {
    TableDecoder::logits(index);
    for (float& logit : rows[index]) logit *= sureness;
    return rows[index];
  }
  float sureness = 40;
};

/// What the table says, up to its end.
Tokens said_after(Tokens text, std::size_t most) {
  Tokens said;
  while (said.size() < most) {
    const Token next = next_token(text);
    if (next == end_token) break;
    said.push_back(next);
    text.push_back(next);
  }
  return said;
}

TEST(ModelDrafter, DraftsWhatItsModelSays) {
  SureDecoder decoder;
  ModelDrafter drafter(decoder, bounds);
  const Tokens text{1, 2, 3};
  const Tokens drafted = drafter.draft(text, 5);
  EXPECT_EQ(drafted, said_after(text, 5));
  EXPECT_FALSE(drafted.empty());
  EXPECT_GT(drafter.seconds_per_token(), 0);
  EXPECT_GT(drafter.take_seconds(), 0);
  EXPECT_EQ(drafter.take_seconds(), 0);
  EXPECT_FALSE(decoder.gap);
}

TEST(ModelDrafter, GoesOnFromWhatItHasRead) {
  SureDecoder decoder;
  ModelDrafter drafter(decoder, bounds);
  Tokens text{1, 2, 3};
  for (int i = 0; i < 20; ++i) {
    const Tokens drafted = drafter.draft(text, 3);
    EXPECT_EQ(drafted, said_after(text, 3));
    // The first of it held, and then something else came.
    if (!drafted.empty()) text.push_back(drafted.front());
    text.push_back(static_cast<Token>(1 + i));
  }
  EXPECT_FALSE(decoder.gap);
  std::size_t computed = 0;
  for (const auto& batch : decoder.batches) computed += batch.size();
  EXPECT_LT(computed, 3 + 20 * 6U) << "nothing is read twice";
}

TEST(ModelDrafter, ReadsLongTextsABatchACall) {
  SureDecoder decoder;
  ModelDrafter drafter(decoder, bounds);
  Tokens text;
  for (int i = 0; i < 40; ++i) text.push_back(1 + i % 50);
  EXPECT_TRUE(drafter.draft(text, 4).empty());
  EXPECT_TRUE(drafter.draft(text, 4).empty());
  EXPECT_EQ(drafter.draft(text, 4), said_after(text, 4));
}

TEST(ModelDrafter, StopsWhereItIsNotSure) {
  SureDecoder decoder;
  decoder.sureness = 1;  // nothing is likelier than one half
  ModelDrafter drafter(decoder, bounds);
  EXPECT_TRUE(drafter.draft(Tokens{1, 2, 3}, 5).empty());
}

TEST(ModelDrafter, DraftsNothingOfWhatItDoesNotKnow) {
  SureDecoder decoder;
  ModelDrafter drafter(decoder, bounds);
  EXPECT_TRUE(drafter.draft(Tokens{}, 5).empty());
  EXPECT_TRUE(drafter.draft(Tokens{1, Prompt::in_image, 2}, 5).empty());
  EXPECT_TRUE(drafter.draft(Tokens{1, vocabulary}, 5).empty());
  EXPECT_TRUE(drafter.draft(Tokens(256, 1), 5).empty()) << "longer than its context";
  EXPECT_TRUE(decoder.batches.empty());
  ModelDrafter ignorant(decoder, {.cells = 256, .batch_tokens = 16, .vocabulary = 1});
  EXPECT_TRUE(ignorant.draft(Tokens{0, 0}, 5).empty()) << "the other model has no such token";
}

TEST(ModelDrafter, SurvivesABatchThatFails) {
  SureDecoder decoder;
  ModelDrafter drafter(decoder, bounds);
  const Tokens text{1, 2, 3};
  drafter.draft(text, 5);
  decoder.batch_works = 0;
  EXPECT_TRUE(drafter.draft(Tokens{4, 5, 6}, 5).empty());
  decoder.batch_works = 1 << 20;
  EXPECT_EQ(drafter.draft(text, 5), said_after(text, 5));
  EXPECT_FALSE(decoder.gap);
}

TEST(ModelDrafter, ReadsAgainWhatARecurrentModelForgot) {
  SureDecoder decoder;
  decoder.recurrent = true;
  ModelDrafter drafter(decoder, bounds);
  EXPECT_EQ(drafter.draft(Tokens{1, 2, 3}, 5), said_after({1, 2, 3}, 5));
  EXPECT_EQ(drafter.draft(Tokens{1, 2, 4}, 5), said_after({1, 2, 4}, 5));
  EXPECT_FALSE(decoder.gap);
}

}  // namespace
}  // namespace craton::engines::llama
