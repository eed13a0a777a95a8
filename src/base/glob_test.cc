#include "base/glob.h"

#include <gtest/gtest.h>

namespace craton {
namespace {

TEST(Glob, FitsTheWholeText) {
  EXPECT_TRUE(glob_matches("meta.llama3", "meta.llama3"));
  EXPECT_FALSE(glob_matches("meta.llama", "meta.llama3"));
  EXPECT_FALSE(glob_matches("meta.llama3", "meta.llama"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(Glob, AStarIsAnyText) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("*", "anything"));
  EXPECT_TRUE(glob_matches("anthropic.*", "anthropic.claude-3-haiku-20240307-v1:0"));
  EXPECT_FALSE(glob_matches("anthropic.*", "amazon.nova-lite-v1:0"));
  EXPECT_TRUE(glob_matches("*haiku*", "anthropic.claude-3-haiku-20240307-v1:0"));
  EXPECT_TRUE(glob_matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(glob_matches("a*b*c", "a-c-b"));
  EXPECT_TRUE(glob_matches("a**", "a"));
}

TEST(Glob, EndsSoonOnWhatFitsNowhere) {
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace craton
