#include "client/forwarder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "client/test_service.h"

namespace craton::client {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What AWS would have been asked.
std::string handed_on(const http::Request& request) {
  std::string seen;
  TestService service([&](int, const std::string& text) {
    seen = text;
    return answering(200, "{}");
  });
  ClientOptions options;
  options.region = "eu-west-1";
  options.endpoint_url = service.url();
  options.credentials = ClientCredentials{"AKOPERATOR", "secret", "session"};
  Forwarder forwarder(*resolve(options));
  auto ended = std::make_shared<std::promise<http::TransferFault>>();
  forwarder.send(
      api::Service::bedrock_runtime, request,
      {.on_end = [ended](const http::TransferEnd& end) { ended->set_value(end.fault); }});
  EXPECT_EQ(ended->get_future().get(), http::TransferFault::none);
  return seen;
}

TEST(Forwarder, SignsAnewAndLeavesTheRest) {
  http::Request request{.method = "POST",
                        .target = "/model/anthropic.claude-v2%3A1/invoke?a=b&X-Amz-Signature=old",
                        .headers = {},
                        .body = R"({"prompt":"hi"})",
                        .peer = {}};
  request.headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=AKCALLER/x");
  request.headers.add("X-Amz-Date", "20200101T000000Z");
  request.headers.add("Host", "127.0.0.1:8420");
  request.headers.add("Connection", "keep-alive");
  request.headers.add("Accept-Encoding", "gzip");
  request.headers.add("x-craton-fault", "drop");
  request.headers.add("Content-Type", "application/json");
  request.headers.add("X-Amzn-Bedrock-Trace", "ENABLED");
  request.headers.add("amz-sdk-request", "attempt=1; max=3");
  const std::string seen = handed_on(request);
  EXPECT_THAT(seen, HasSubstr("POST /model/anthropic.claude-v2%3A1/invoke?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("Credential=AKOPERATOR/"));
  EXPECT_THAT(seen, HasSubstr("/eu-west-1/bedrock/aws4_request"));
  EXPECT_THAT(seen, HasSubstr("X-Amz-Security-Token: session\r\n"));
  EXPECT_THAT(seen, HasSubstr("X-Amzn-Bedrock-Trace: ENABLED\r\n"));
  EXPECT_THAT(seen, HasSubstr("amz-sdk-request: attempt=1; max=3\r\n"));
  EXPECT_THAT(seen, HasSubstr(R"({"prompt":"hi"})"));
  for (const char* left : {"AKCALLER", "20200101", "8420", "keep-alive", "gzip", "x-craton"}) {
    EXPECT_THAT(seen, Not(HasSubstr(left)));
  }
}

TEST(Forwarder, CanBeGivenUp) {
  TestService service([](int, const std::string&) { return Reaction{.stall = true}; });
  ClientOptions options;
  options.region = "us-east-1";
  options.endpoint_url = service.url();
  options.bearer_token = "ABSKkey";
  Forwarder forwarder(*resolve(options));
  auto ended = std::make_shared<std::promise<http::TransferFault>>();
  const auto sent = forwarder.send(
      api::Service::bedrock, {.method = "GET", .target = "/foundation-models"},
      {.on_end = [ended](const http::TransferEnd& end) { ended->set_value(end.fault); }});
  sent->cancel();
  sent->cancel();
  EXPECT_EQ(ended->get_future().get(), http::TransferFault::cancelled);
}

}  // namespace
}  // namespace craton::client
