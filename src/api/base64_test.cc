#include "api/base64.h"

#include <gtest/gtest.h>

namespace craton::api {
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

}  // namespace
}  // namespace craton::api
