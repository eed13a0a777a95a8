#include "base/json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>

namespace craton {
namespace {

struct Refused {
  std::string_view name;
  std::string text;
};

class JsonRefuses : public testing::TestWithParam<Refused> {};

TEST_P(JsonRefuses, WithSerializationError) {
  const auto parsed = json::parse(GetParam().text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::serialization);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc8259, JsonRefuses,
    testing::Values(Refused{"empty", ""}, Refused{"truncated", R"({"a": [1, )"},
                    Refused{"trailing_comma", "[1,]"}, Refused{"extra", "{} {}"},
                    Refused{"not_a_number", "NaN"}, Refused{"comment", "/* */ 1"},
                    Refused{"lone_surrogate", R"("\ud83d")"}, Refused{"bad_utf8", "\"\xff\""},
                    Refused{"control_character", "\"\x01\""},
                    Refused{"too_deep", std::string(100, '[') + std::string(100, ']')}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Json, JoinsEscapedSurrogatePairs) {
  EXPECT_EQ(json::to_text(*json::parse(R"("\ub300\ud83d\ude00")")), "\"대😀\"");
}

TEST(Json, WritesNumbersInPlainNotation) {
  EXPECT_EQ(json::to_text(*json::parse("[0.5,1e-3,5E-1,100.0,1e2,-0.25,12345678901234]")),
            "[0.5,0.001,0.5,100.0,100.0,-0.25,12345678901234]");
}

TEST(Json, NumbersSurviveARoundTrip) {
  for (const double number : {0.1, 1.0 / 3, 1e-9, 1e25, std::numeric_limits<double>::max(),
                              std::numeric_limits<double>::denorm_min()}) {
    std::string text;
    json::append_number(number, text);
    EXPECT_EQ(json::parse(text)->to_number<double>(), number) << text;
  }
}

TEST(Json, EscapesOnlyWhatItMust) {
  EXPECT_EQ(json::quote("a\"b\\c\n\x1f/é"), "\"a\\\"b\\\\c\\n\\u001f/é\"");
}

TEST(Json, KeepsMembersInOrder) {
  const std::string text = R"({"z":1,"a":{"y":[true,false,null],"b":"x"}})";
  EXPECT_EQ(json::to_text(*json::parse(text)), text);
}

TEST(Json, NumbersTooLargeForADoubleStayJson) {
  for (const char* text : {"1e999", "-1e999"}) {
    const auto value = json::parse(text);
    ASSERT_TRUE(value);
    EXPECT_EQ(json::to_text(*value), text);
    EXPECT_EQ(*json::parse(json::to_text(*value)), *value);
  }
  EXPECT_EQ(json::to_text(json::value(std::nan(""))), "null");
}

}  // namespace
}  // namespace craton
