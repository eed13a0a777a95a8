#include "base/base64.h"

#include <gtest/gtest.h>

namespace craton {
namespace {

struct Row {
  std::string_view text;
  std::size_t size;
};

TEST(Base64, KnowsTheSizeOfWhatItStandsFor) {
  for (const Row& row :
       {Row{"", 0}, Row{"aA==", 1}, Row{"aGk=", 2}, Row{"aGkh", 3}, Row{"+/9aGkh=", 5}}) {
    EXPECT_TRUE(is_base64(row.text)) << row.text;
    EXPECT_EQ(base64_decoded_size(row.text), row.size) << row.text;
  }
}

TEST(Base64, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"a", "ab", "abc", "a===", "====", "ab=c", "ab c", "ab-_", "abcd="}) {
    EXPECT_FALSE(is_base64(text)) << text;
  }
}

struct Encoded {
  std::string_view bytes;
  std::string_view text;
};

// Source: RFC 4648, section 10; the last two meet the alphabet's ends and a NUL.
TEST(Base64, WritesTheStandardAlphabetPadded) {
  for (const auto& [bytes, text] :
       {Encoded{"", ""}, Encoded{"f", "Zg=="}, Encoded{"fo", "Zm8="}, Encoded{"foo", "Zm9v"},
        Encoded{"foob", "Zm9vYg=="}, Encoded{"fooba", "Zm9vYmE="}, Encoded{"foobar", "Zm9vYmFy"},
        Encoded{"\xfb\xff\xbf", "+/+/"}, Encoded{std::string_view("\0\xff", 2), "AP8="}}) {
    std::string out = "before ";
    append_base64(bytes, out);
    EXPECT_EQ(out, "before " + std::string(text));
    EXPECT_TRUE(is_base64(text));
    EXPECT_EQ(base64_decoded_size(text), bytes.size());
  }
}

TEST(Base64, IsReadAsItWasWritten) {
  std::string bytes;
  for (int size = 0; size < 300; ++size) {
    std::string text;
    append_base64(bytes, text);
    EXPECT_EQ(base64_decoded(text), bytes);
    bytes += static_cast<char>(size * 7);
  }
}

TEST(Base64, ThatIsNoneIsNotRead) {
  for (const std::string_view text : {"a", "abc", "ab=c", "=abc", "ab c", "ab-_", "a===", "===="}) {
    EXPECT_EQ(base64_decoded(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace craton
