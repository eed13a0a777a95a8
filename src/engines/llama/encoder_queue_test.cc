#include "engines/llama/encoder_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <vector>

#include "engines/turn.h"

namespace craton::engines::llama {
namespace {

constexpr SteadyTime now{};

/// A sequence's vector is its first token and its length; notes each batch's first tokens.
class FirstToken : public SequenceEncoder {
 public:
  Result<std::vector<std::vector<float>>> encode(
      std::span<const std::span<const Token>> sequences) override {
    if (fails) return Error{ErrorCode::model_error, "broken"};
    std::vector<std::vector<float>> vectors;
    batches.emplace_back();
    for (const auto& sequence : sequences) {
      batches.back().push_back(sequence.front());
      vectors.push_back(
          {static_cast<float>(sequence.front()) * scale, static_cast<float>(sequence.size())});
    }
    return vectors;
  }

  std::vector<std::vector<Token>> batches;
  float scale = 1;
  bool fails = false;
};

/// An item for each token, of `length` tokens.
EncoderJob job_of(const std::vector<Token>& firsts, std::size_t length = 4) {
  EncoderJob job;
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    job.input.sequences.push_back({std::vector<Token>(length, firsts[i]), i, 1});
    job.input.tokens.push_back(static_cast<int>(length));
  }
  job.embedding = std::make_shared<Embedding>();
  return job;
}

class EncoderQueueTest : public testing::Test {
 protected:
  std::shared_ptr<Embedding> add(EncoderJob job) {
    std::shared_ptr<Embedding> embedding = job.embedding;
    queue.add(std::move(job));
    return embedding;
  }
  using Batches = std::vector<std::vector<Token>>;

  FirstToken encoder;
  EncoderQueue queue{encoder, {.tokens = 16, .sequences = 8}};
};

TEST_F(EncoderQueueTest, PutsTheTextsOfAllRequestsIntoOneBatch) {
  const auto one = add(job_of({1, 2}));
  const auto two = add(job_of({7}));
  EXPECT_TRUE(queue.step(now));
  EXPECT_EQ(encoder.batches, (Batches{{1, 7, 2}}));
  const auto outcome = one->take();
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ((*outcome)->vectors[1].values, (std::vector<float>{2, 4}));
  EXPECT_EQ((*outcome)->vectors[1].tokens, 4);
  EXPECT_TRUE(two->take());
  EXPECT_FALSE(queue.step(now));
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(EncoderQueueTest, LetsASmallRequestPassALargeOne) {
  add(job_of({1, 2, 3, 4, 5, 6}));
  const auto small = add(job_of({9}));
  queue.step(now);
  EXPECT_EQ(encoder.batches.front(), (std::vector<Token>{1, 9, 2, 3}));
  EXPECT_TRUE(small->take());
}

TEST_F(EncoderQueueTest, TakesWhatHasPriorityFirst) {
  EncoderJob low = job_of({1, 2, 3});
  low.priority = Priority::low;
  add(std::move(low));
  add(job_of({4, 5}));
  EncoderJob high = job_of({7, 8});
  high.priority = Priority::high;
  add(std::move(high));
  queue.step(now);
  EXPECT_EQ(encoder.batches.front(), (std::vector<Token>{7, 8, 4, 5}));
}

TEST_F(EncoderQueueTest, TakesWhatHasWaitedForLongAsIfItHadPriority) {
  EncoderJob low = job_of({1, 2, 3, 4});
  low.priority = Priority::low;
  low.arrived = now - handicap_of(Priority::low);
  add(std::move(low));
  EncoderJob fresh = job_of({5, 6, 7, 8});
  fresh.arrived = now;
  add(std::move(fresh));
  queue.step(now);
  EXPECT_EQ(encoder.batches.front(), (std::vector<Token>{1, 2, 3, 4}));
}

TEST_F(EncoderQueueTest, AveragesThePartsOfATextByTheirTokens) {
  EncoderJob job = job_of({2});
  job.input.sequences.front().weight = 3;
  job.input.sequences.push_back({{6, 6}, 0, 1});
  const auto embedding = add(std::move(job));
  queue.step(now);
  const auto outcome = embedding->take();
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ((*outcome)->vectors.front().values, (std::vector<float>{3, 3.5}));
}

TEST_F(EncoderQueueTest, ComputesNothingForThoseWhoLeft) {
  const auto gone = add(job_of({1, 2}));
  const auto stays = add(job_of({3}));
  gone->cancel();
  queue.step(now);
  EXPECT_EQ(encoder.batches, (Batches{{3}}));
  EXPECT_TRUE(stays->take());
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(EncoderQueueTest, EndsWhatIsTooLate) {
  EncoderJob job = job_of({1});
  job.deadline = now;
  const auto late = add(std::move(job));
  EXPECT_FALSE(queue.step(now));
  const auto outcome = late->take();
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().error.code, ErrorCode::model_timeout);
}

TEST_F(EncoderQueueTest, TellsAllOfABatchThatItBroke) {
  encoder.fails = true;
  const auto embedding = add(job_of({1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(queue.step(now));
  const auto outcome = embedding->take();
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().error.code, ErrorCode::model_error);
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(EncoderQueueTest, GivesOutNoNumberThatIsNone) {
  encoder.scale = std::numeric_limits<float>::quiet_NaN();
  const auto embedding = add(job_of({1}));
  queue.step(now);
  const auto outcome = embedding->take();
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().error.code, ErrorCode::model_error);
}

TEST_F(EncoderQueueTest, GivesPlacesBack) {
  auto place = std::make_shared<int>();
  EncoderJob job = job_of({1});
  job.place = place;
  add(std::move(job));
  EXPECT_EQ(place.use_count(), 2);
  queue.step(now);
  EXPECT_EQ(place.use_count(), 1);
}

}  // namespace
}  // namespace craton::engines::llama
