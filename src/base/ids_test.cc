#include "base/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace craton {
namespace {

TEST(RandomUuid, IsAVersion4Uuid) {
  EXPECT_THAT(
      random_uuid(),
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(RandomUuid, DoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(random_uuid());
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(RandomAnthropicId, Has24CharactersAfterThePrefix) {
  EXPECT_THAT(random_anthropic_id("msg_bdrk_"),
              testing::MatchesRegex("msg_bdrk_01[1-9A-HJ-NP-Za-km-z]{22}"));
}

TEST(RandomAlphanumeric, HasLettersAndDigitsOfTheLengthAskedFor) {
  EXPECT_THAT(random_alphanumeric(24), testing::MatchesRegex("[0-9A-Za-z]{24}"));
  EXPECT_EQ(random_alphanumeric(0), "");
  EXPECT_NE(random_alphanumeric(24), random_alphanumeric(24));
}

}  // namespace
}  // namespace craton
