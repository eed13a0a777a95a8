#include "metrics/page.h"

#include <gtest/gtest.h>

#include <array>

namespace craton::metrics {
namespace {

constexpr Metric requests{"a_requests_total", Type::counter, "Requests answered."};
constexpr Metric memory{"a_memory_bytes", Type::gauge, "Memory."};
constexpr Metric seconds{"a_seconds", Type::histogram, "How long it took."};

constexpr std::array bounds{0.5, 1.0, 2.5};
constexpr Buckets buckets{bounds, 1e-3};

TEST(Page, IsPrometheusText) {
  Page page(Format::prometheus);
  page.begin(requests);
  page.sample(std::array{Label{"operation", "Converse"}, Label{"status", "200"}},
              std::uint64_t{12});
  page.begin(memory);
  page.sample({}, 1.5e9);
  EXPECT_EQ(page.take(),
            "# HELP a_requests_total Requests answered.\n"
            "# TYPE a_requests_total counter\n"
            "a_requests_total{operation=\"Converse\",status=\"200\"} 12\n"
            "# HELP a_memory_bytes Memory.\n"
            "# TYPE a_memory_bytes gauge\n"
            "a_memory_bytes 1500000000.0\n");
}

TEST(Page, DeclaresCountersWithoutTheirSuffixInOpenMetrics) {
  Page page(Format::openmetrics);
  page.begin(requests);
  page.sample({}, std::uint64_t{1});
  EXPECT_EQ(page.take(),
            "# HELP a_requests Requests answered.\n"
            "# TYPE a_requests counter\n"
            "a_requests_total 1\n"
            "# EOF\n");
}

TEST(Page, WritesHistogramsCumulatively) {
  Histogram histogram(buckets);
  histogram.observe(500);  // a bound belongs to the bucket below it
  histogram.observe(501, 2);
  histogram.observe(9'000);
  Page page(Format::prometheus);
  page.begin(seconds);
  page.sample(std::array{Label{"model", "m"}}, histogram.read());
  EXPECT_EQ(page.take(),
            "# HELP a_seconds How long it took.\n"
            "# TYPE a_seconds histogram\n"
            "a_seconds_bucket{model=\"m\",le=\"0.5\"} 1\n"
            "a_seconds_bucket{model=\"m\",le=\"1.0\"} 3\n"
            "a_seconds_bucket{model=\"m\",le=\"2.5\"} 3\n"
            "a_seconds_bucket{model=\"m\",le=\"+Inf\"} 4\n"
            "a_seconds_sum{model=\"m\"} 10.502\n"
            "a_seconds_count{model=\"m\"} 4\n");
}

TEST(Page, EscapesAndMendsValuesAndLeavesEmptyLabelsOut) {
  Page page(Format::prometheus);
  page.begin(memory);
  page.sample(std::array{Label{"a", "x\"y\\z\n\xff"}, Label{"none", ""}}, 1.0);
  EXPECT_TRUE(page.take().ends_with("a_memory_bytes{a=\"x\\\"y\\\\z\\n\xEF\xBF\xBD\"} 1.0\n"));
}

struct Asked {
  const char* name;
  std::string_view accept;
  Format format;
};

class Accept : public testing::TestWithParam<Asked> {};

TEST_P(Accept, DecidesTheForm) { EXPECT_EQ(format_for(GetParam().accept), GetParam().format); }

INSTANTIATE_TEST_SUITE_P(
    Headers, Accept,
    testing::Values(Asked{"nothing", "", Format::prometheus},
                    Asked{"anything", "*/*", Format::prometheus},
                    Asked{"plain", "text/plain;version=0.0.4", Format::prometheus},
                    Asked{"open", "application/openmetrics-text", Format::openmetrics},
                    Asked{"prometheus",
                          "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                          "application/openmetrics-text;version=0.0.1;q=0.5,"
                          "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
                          Format::openmetrics},
                    Asked{"plain_rather", "application/openmetrics-text;q=0.2, text/plain ; q=0.9",
                          Format::prometheus},
                    Asked{"open_refused", "application/openmetrics-text;q=0", Format::prometheus},
                    Asked{"another_version", "application/openmetrics-text; version=9.0.0",
                          Format::prometheus},
                    Asked{"nonsense", ";;,=;q=x,\"", Format::prometheus}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace craton::metrics
