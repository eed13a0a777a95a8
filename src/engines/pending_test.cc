#include "engines/pending.h"

#include <gtest/gtest.h>

#include <utility>

#include "conversation/embedding.h"

namespace craton::engines {
namespace {

using Embedding = Pending<Embeddings>;

Embedding::Outcome one_vector() { return Embeddings{.vectors = {{{1.0F}, 2}}}; }

TEST(Pending, GivesItsResultOnce) {
  Embedding embedding;
  EXPECT_FALSE(embedding.take());
  embedding.finish(one_vector());
  const auto outcome = embedding.take();
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ((*outcome)->vectors.front().tokens, 2);
  EXPECT_FALSE(embedding.take());
}

TEST(Pending, WakesWhoWaitsOnce) {
  Embedding embedding;
  int woken = 0;
  embedding.notify([&] { ++woken; });
  EXPECT_EQ(woken, 0);
  embedding.finish(one_vector());
  EXPECT_EQ(woken, 1);
  embedding.notify([&] { ++woken; });
  EXPECT_EQ(woken, 2) << "at once when the result is there";
}

TEST(Pending, TellsTheEngineOnceWhenItIsGivenUp) {
  int told = 0;
  int woken = 0;
  Embedding embedding([&] { ++told; });
  embedding.notify([&] { ++woken; });
  embedding.cancel();
  embedding.cancel();
  EXPECT_TRUE(embedding.cancelled());
  EXPECT_EQ(told, 1);
  embedding.finish(one_vector());
  EXPECT_EQ(woken, 0);
}

}  // namespace
}  // namespace craton::engines
