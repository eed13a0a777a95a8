#include "http/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "http/one_shot_server.h"

namespace craton::http {
namespace {

using testing::HasSubstr;

std::string answer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

TEST(Fetcher, GetsAPageAgainAndAgain) {
  OneShotServer server(
      [](const std::string& head) { return answer("200 OK", head.substr(0, head.find(" HTTP"))); });
  Fetcher fetcher({});
  for (int i = 0; i < 3; ++i) {
    const auto page = fetcher.get(server.url() + "/metrics");
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(*page, "GET /metrics");
  }
}

TEST(Fetcher, DoesNotAskProxiesForLoopback) {
  OneShotServer server([](const std::string&) { return answer("200 OK", "direct"); });
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  const auto page = Fetcher({}).get(server.url());
  unsetenv("http_proxy");
  ASSERT_TRUE(page) << page.error().message;
}

TEST(Fetcher, TellsWhatWentWrong) {
  OneShotServer missing([](const std::string&) { return answer("404 Not Found", "no"); });
  OneShotServer endless(
      [](const std::string&) { return answer("200 OK", std::string(5000, 'x')); });
  OneShotServer broken(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"; });
  FetchOptions small;
  small.bytes_max = 4096;
  Fetcher fetcher(small);
  EXPECT_EQ(fetcher.get(missing.url()).error().status, 404);
  EXPECT_EQ(fetcher.get(endless.url()).error().message, "its answer is too large");
  EXPECT_FALSE(fetcher.get(broken.url()));
  EXPECT_THAT(fetcher.get("http://127.0.0.1:1/").error().message, HasSubstr("connect"));
  EXPECT_FALSE(fetcher.get("file:///etc/hostname"));
}

TEST(Fetcher, CanBeGivenUp) {
  FetchOptions options;
  options.given_up = [] { return true; };
  OneShotServer server([](const std::string&) { return answer("200 OK", "late"); });
  EXPECT_EQ(Fetcher(options).get(server.url()).error().message, "given up");
}

}  // namespace
}  // namespace craton::http
