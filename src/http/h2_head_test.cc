#include "http/h2_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace craton::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct HeadCase {
  std::string name;
  Fields fields;
  int status;  ///< Of the refusal; 0: there is none.
};

const ReaderLimits limits{.header_bytes_max = 20'000, .body_bytes_max = 100};

class H2Head : public testing::TestWithParam<HeadCase> {};

TEST_P(H2Head, IsTakenOrRefused) {
  H2RequestHead head(limits);
  for (const auto& [name, value] : GetParam().fields) head.add(name, value);
  const auto refusal = head.finish();
  EXPECT_EQ(refusal ? refusal->status : 0, GetParam().status);
}

Fields get(const std::string& path, Fields more = {}) {
  Fields fields{{":method", "GET"}, {":path", path}, {":authority", "h"}};
  for (auto& field : more) fields.push_back(std::move(field));
  return fields;
}

INSTANTIATE_TEST_SUITE_P(
    Table, H2Head,
    testing::Values(
        HeadCase{"Path", get("/a?b"), 0},
        HeadCase{"NoPath", {{":method", "CONNECT"}, {":authority", "h"}}, 400},
        HeadCase{"NoSlash", get("a"), 400}, HeadCase{"Blank", get("/a b"), 400},
        HeadCase{"NotAscii", get("/\xc3\xa9"), 400}, HeadCase{"Asterisk", get("*"), 400},
        HeadCase{
            "OptionsAsterisk", {{":method", "OPTIONS"}, {":path", "*"}, {":authority", "h"}}, 0},
        HeadCase{"LongestPath", get("/" + std::string(16 * 1024 - 1, 'p')), 0},
        HeadCase{"TooLongPath", get("/" + std::string(16 * 1024, 'p')), 414},
        HeadCase{"HostOnly", {{":method", "GET"}, {":path", "/"}, {"host", "h"}}, 0},
        HeadCase{"NoHost", {{":method", "GET"}, {":path", "/"}}, 400},
        HeadCase{"SameHost", get("/", {{"host", "H"}}), 0},
        HeadCase{"OtherHost", get("/", {{"host", "i"}}), 400},
        HeadCase{"LargestBody", get("/", {{"content-length", "100"}}), 0},
        HeadCase{"TooLargeBody", get("/", {{"content-length", "101"}}), 413},
        HeadCase{"HugeBody", get("/", {{"content-length", "99999999999999999999999"}}), 413},
        HeadCase{"MostFields", get("/", Fields(255, {"x", "y"})), 0},
        HeadCase{"TooManyFields", get("/", Fields(256, {"x", "y"})), 431},
        HeadCase{"TooLarge", get("/", {{"x", std::string(20'000, 'x')}}), 431}),
    [](const auto& row) { return row.param.name; });

TEST(H2RequestHead, KeepsNothingOfWhatIsTooLarge) {
  H2RequestHead head(limits);
  for (int i = 0; i < 1000; ++i) head.add("x", std::string(1000, 'x'));
  EXPECT_EQ(head.bytes(), 1000 * (1 + 1000 + 32));
  EXPECT_TRUE(head.finish());
  EXPECT_LT(head.take_request().headers.size(), 20);
}

}  // namespace
}  // namespace craton::http
