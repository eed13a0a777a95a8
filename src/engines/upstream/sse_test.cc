#include "engines/upstream/sse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace craton::engines::upstream {
namespace {

using Events = std::vector<ServerSentEvent>;

Events parsed(std::string_view bytes, std::size_t piece) {
  EventParser parser;
  Events events;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    EXPECT_TRUE(parser.feed(bytes.substr(at, piece), events));
  }
  parser.finish(events);
  return events;
}

struct Case {
  std::string_view name;
  std::string_view bytes;
  Events events;
};

const Case cases[] = {
    {"nothing", "", {}},
    {"one", "data: a\n\n", {{"", "a"}}},
    {"no_blank", "data:a\n\n", {{"", "a"}}},
    {"one_blank_is_taken", "data:  a\n\n", {{"", " a"}}},
    {"line_ends", "data: a\r\n\r\ndata: b\r\rdata: c\n\n", {{"", "a"}, {"", "b"}, {"", "c"}}},
    {"lines", "data: a\ndata\ndata: b\n\n", {{"", "a\n\nb"}}},
    {"named", "event: ping\ndata: {}\n\ndata: x\n\n", {{"ping", "{}"}, {"", "x"}}},
    {"comments", ": keep-alive\n\n:\n\ndata: x\n\n", {{"", "x"}}},
    {"name_alone", "event: ping\n\ndata: x\n\n", {{"", "x"}}},
    {"other_fields", "id: 7\nretry: 3\nfoo: bar\ndata: x\n\n", {{"", "x"}}},
    {"byte_order_mark",
     "\xEF\xBB\xBF"
     "data: x\n\n",
     {{"", "x"}}},
    {"cut_off", "data: x\n\ndata: [DONE]", {{"", "x"}, {"", "[DONE]"}}},
    {"error_line", "error: {\"code\":500}\n\n", {{"error", "{\"code\":500}"}}},
    {"html", "<html>\n<body>502: Bad Gateway</body>\n\n</html>", {}},
};

class Sse : public testing::TestWithParam<Case> {};

TEST_P(Sse, IsTheSameHoweverItIsCut) {
  const Case& row = GetParam();
  for (std::size_t piece = 1; piece <= row.bytes.size() + 1; ++piece) {
    EXPECT_EQ(parsed(row.bytes, piece), row.events) << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(Streams, Sse, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(EventParser, RefusesAnEventWithoutEnd) {
  EventParser parser(100);
  Events events;
  Result<void> fed;
  for (int i = 0; i < 30 && fed; ++i) fed = parser.feed("data: 12345\n", events);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::model_error);
  EventParser other(100);
  EXPECT_FALSE(other.feed(std::string(101, 'x'), events));
  EXPECT_TRUE(events.empty());
}

}  // namespace
}  // namespace craton::engines::upstream
