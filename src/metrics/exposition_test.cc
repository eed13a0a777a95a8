#include "metrics/exposition.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "metrics/page.h"

namespace craton::metrics {
namespace {

TEST(Exposition, ReadsNamesLabelsAndNumbers) {
  const auto page = read_page(
      "# HELP x_total Some \\\\ help.\n# TYPE x_total counter\n"
      "x_total{a=\"1\", b = \"q\\\"\\n\\\\\" ,} 3 1700000000\n"
      "\n   # a comment\n"
      "y +Inf\r\n\tz{} 1e-3 # {trace=\"1\"} 2\n"
      "# EOF");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->declared.size(), 1u);
  EXPECT_EQ(page->declared[0].type, "counter");
  ASSERT_EQ(page->samples.size(), 3u);
  EXPECT_EQ(page->samples[0].name, "x_total");
  EXPECT_EQ(page->samples[0].label("a"), "1");
  EXPECT_EQ(page->samples[0].label("b"), "q\"\n\\");
  EXPECT_EQ(page->samples[0].label("c"), "");
  EXPECT_EQ(page->samples[0].value, 3);
  EXPECT_TRUE(std::isinf(page->samples[1].value));
  EXPECT_DOUBLE_EQ(page->samples[2].value, 1e-3);
}

TEST(Exposition, ReadsWhatPagesSay) {
  for (const Format format : {Format::prometheus, Format::openmetrics}) {
    Page page(format);
    page.begin({"a_total", Type::counter, "A."});
    page.sample(std::array{Label{"l", "back\\slash \"quoted\"\nline"}}, std::uint64_t{7});
    page.begin({"b", Type::gauge, "B."});
    page.sample({}, std::nan(""));
    const auto read = read_page(page.take());
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->samples.size(), 2u);
    EXPECT_EQ(read->samples[0].label("l"), "back\\slash \"quoted\"\nline");
    EXPECT_TRUE(std::isnan(read->samples[1].value));
    EXPECT_EQ(read->declared[0].help, "A.");
  }
}

struct Broken {
  const char* name;
  std::string_view text;
  std::string_view message;
};

class BrokenPage : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPage, IsRefusedByItsLine) {
  const auto page = read_page(GetParam().text);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, BrokenPage,
    testing::Values(Broken{"html", "<html>", "line 1: a metric's name expected"},
                    Broken{"no_value", "a 1\nb\n", "line 2: a number expected"},
                    Broken{"text_value", "a one", "line 1: a number expected"},
                    Broken{"hex", "a 0x10", "line 1: a number expected"},
                    Broken{"too_large", "a 1e999", "line 1: a number expected"},
                    Broken{"open_labels", "a{b=\"c\" 1",
                           "line 1: ',' or '}' expected after a label"},
                    Broken{"open_value", "a{b=\"c\\\" 1", "line 1: a label's value does not end"},
                    Broken{"no_quote", "a{b=c} 1", "line 1: '\"' expected before a label's value"},
                    Broken{"no_equals", "a{b} 1", "line 1: '=' expected after a label's name"},
                    Broken{"colon", "a{b:c=\"1\"} 1", "line 1: a label's name expected"},
                    Broken{"twice", "a{b=\"\",b=\"2\"} 1", "line 1: a label is there twice"},
                    Broken{"time", "a 1 yesterday", "line 1: a time stamp expected"},
                    Broken{"more", "a 1 2 3", "line 1: the line should end here"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Exposition, BoundsWhatItTakes) {
  std::string labels;
  for (std::size_t i = 0; i <= labels_max; ++i) labels += "l" + std::to_string(i) + "=\"x\",";
  EXPECT_FALSE(read_page("a{" + labels + "} 1"));
  EXPECT_FALSE(read_page(std::string(page_bytes_max + 1, '\n')));
}

}  // namespace
}  // namespace craton::metrics
