#include "base/utf8.h"

#include <gtest/gtest.h>

namespace craton {
namespace {

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(code_points(""), 0u);
  EXPECT_EQ(code_points("abc"), 3u);
  EXPECT_EQ(code_points("서울"), 2u);
  EXPECT_EQ(code_points("\xF0\x9F\x98\x80"), 1u);
}

TEST(Utf8, CutsBetweenCharactersOnly) {
  EXPECT_EQ(first_characters("서울", 6), "서울");
  EXPECT_EQ(first_characters("서울", 5), "서");
  EXPECT_EQ(first_characters("서울", 3), "서");
  EXPECT_EQ(first_characters("서울", 2), "");
  EXPECT_EQ(first_characters("abc", 2), "ab");
}

TEST(Utf8, ReplacesWhatIsNone) {
  EXPECT_EQ(mended_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(mended_utf8("\xEC\x84"), "\uFFFD");
  EXPECT_EQ(mended_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(mended_utf8("서울"), "서울");
}

}  // namespace
}  // namespace craton
