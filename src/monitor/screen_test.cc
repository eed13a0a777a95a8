#include "monitor/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "monitor/test_page.h"

namespace craton::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

View view(const std::string& name = "tiny") {
  History history;
  history.add(reading_of({.requests = 100, .started = 1'000}, 0));
  history.add(reading_of({.requests = 124,
                          .refused = 2,
                          .tokens = 80,
                          .prompts = 400,
                          .hits = 300,
                          .fast = 90,
                          .slow = 9,
                          .stuck = 1},
                         2));
  View view = history.view("http://127.0.0.1:8420", WallTime(std::chrono::seconds(12'520)));
  view.models.front().name = name;
  return view;
}

std::string drawn(const View& view, const Style& style) {
  std::string text;
  for (const std::string& line : draw(view, style)) text += line + "\n";
  return text;
}

TEST(Screen, IsThis) {
  EXPECT_EQ(drawn(view(), {.width = 80}),
            R"(craton 1.2.3  http://127.0.0.1:8420                                up 3 h 12 min
13 requests/s  ·  1 errors/s  ·  8 connections  ·  0 B/s in  ·  0 B/s out
812 MB memory  ·  0.00 cores busy

MODEL           QUEUE   RUN TOK/S IN      OUT  CACHED  KV CELLS
tiny                2     3      200       40    75 %  ███▒▒▒▒▒·· 25 % of 8.19k

LATENCY, last 2 s                              P50       P95       P99     COUNT
time to first token                              -         -         -         0
between tokens                             5.56 ms   60.0 ms    100 ms       100
engine step                                      -         -         -         0

OPERATION                            P50       P95       P99     REQ/S     ERR/S
Converse                          2.17 s      >4 s      >4 s        13         1
)");
}

TEST(Screen, NeverExceedsItsWidth) {
  for (int width = 1; width < 200; ++width) {
    for (const std::string& name :
         {std::string("tiny"), std::string(300, 'x'), std::string("모델모델모델모델")}) {
      for (const bool colour : {false, true}) {
        for (const std::string& line : draw(view(name), {.width = width, .colour = colour})) {
          ASSERT_LE(columns_of(line), width) << line;
        }
      }
    }
  }
}

TEST(Screen, HasNoEscapesWithoutColourAndNoneLeftOpenWithIt) {
  EXPECT_THAT(drawn(view(), {.colour = false}), Not(HasSubstr("\x1b")));
  for (const std::string& line : draw(view(), {.colour = true})) {
    EXPECT_EQ(line.find("\x1b[") == line.npos, line.find("\x1b[0m") == line.npos) << line;
  }
}

TEST(Screen, IsAsciiWhereTheTerminalKnowsNoMore) {
  for (const char c : drawn(view(), {.unicode = false})) EXPECT_GE(c, 0);
}

TEST(Screen, SaysWhenThereIsNoModel) {
  View none = view();
  none.models.clear();
  EXPECT_THAT(drawn(none, {}), HasSubstr("No model is bound."));
}

TEST(Screen, CountsColumns) {
  EXPECT_EQ(columns_of("abc"), 3);
  EXPECT_EQ(columns_of("\x1b[1mabc\x1b[0m"), 3);
  EXPECT_EQ(columns_of("모델 █"), 6);
  EXPECT_EQ(columns_of("\xE2"), 1);  // cut
}

TEST(Json, HasTheNumbersOnOneLine) {
  const std::string text = json_of(view());
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  const auto value = boost::json::parse(text);
  EXPECT_EQ(value.at("version").as_string(), "1.2.3");
  EXPECT_EQ(value.at("models").at(0).at("generated_tokens_per_s").to_number<double>(), 40);
  EXPECT_EQ(value.at("models").at(0).at("prefix_hit_rate").to_number<double>(), 0.75);
  EXPECT_TRUE(value.at("models").at(0).at("step").at("p50_s").is_null());
  EXPECT_EQ(value.at("operations").at(0).at("operation").as_string(), "Converse");
}

}  // namespace
}  // namespace craton::monitor
