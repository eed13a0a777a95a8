#include "monitor/distribution.h"

#include <gtest/gtest.h>

#include <cmath>

namespace craton::monitor {
namespace {

Distribution of(double up_to_1, double up_to_2, double all) {
  Distribution distribution;
  distribution.add(1, up_to_1);
  distribution.add(2, up_to_2);
  distribution.add(INFINITY, all);
  return distribution;
}

TEST(Distribution, TakesValuesToBeSpreadEvenlyWithinABucket) {
  const Distribution hundred = of(50, 100, 100);
  EXPECT_DOUBLE_EQ(hundred.quantile(0.25)->value, 0.5);
  EXPECT_DOUBLE_EQ(hundred.quantile(0.5)->value, 1);
  EXPECT_DOUBLE_EQ(hundred.quantile(0.75)->value, 1.5);
  EXPECT_FALSE(hundred.quantile(1)->above);
}

TEST(Distribution, SaysWhenAQuantileIsBeyondItsBounds) {
  const auto p99 = of(10, 90, 100).quantile(0.99);
  EXPECT_DOUBLE_EQ(p99->value, 2);
  EXPECT_TRUE(p99->above);
}

TEST(Distribution, HasNoQuantilesOfNothing) {
  EXPECT_FALSE(Distribution().quantile(0.5));
  EXPECT_FALSE(of(0, 0, 0).quantile(0.5));
}

TEST(Distribution, TellsWhatCameSince) {
  const Distribution since = of(10, 40, 45).since(of(10, 20, 20));
  EXPECT_DOUBLE_EQ(since.count(), 25);
  EXPECT_DOUBLE_EQ(since.quantile(0.4)->value, 1.5);
  EXPECT_DOUBLE_EQ(of(1, 1, 1).since(of(5, 5, 5)).count(), 0);
}

TEST(Distribution, SumsSeries) {
  Distribution both = of(1, 2, 3);
  both.add(1, 4);
  both.add(2, 4);
  both.add(INFINITY, 4);
  EXPECT_DOUBLE_EQ(both.count(), 7);
}

}  // namespace
}  // namespace craton::monitor
