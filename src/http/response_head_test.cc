#include "http/response_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/body_stream.h"

namespace craton::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string head_of(const Response& response, bool keep_alive = true) {
  std::string out;
  append_head(response, {.keep_alive = keep_alive, .date = "today"}, out);
  return out;
}

TEST(ResponseHead, IsAStatusLineAndFields) {
  Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = "{}";
  EXPECT_EQ(head_of(response),
            "HTTP/1.1 200 OK\r\nDate: today\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseHead, SaysThatTheConnectionEnds) {
  EXPECT_THAT(head_of({}, false), HasSubstr("Connection: close\r\n"));
}

TEST(ResponseHead, MeasuresASharedBody) {
  Response response;
  response.body = "not sent";
  response.shared_body = std::make_shared<const std::string>("abc");
  EXPECT_THAT(head_of(response), HasSubstr("Content-Length: 3\r\n"));
}

struct NoBytes : BodyStream {
  boost::asio::awaitable<std::optional<std::string>> next() override { co_return std::nullopt; }
};

TEST(ResponseHead, FramesAStreamByItsClientsVersion) {
  Response response;
  response.stream = std::make_unique<NoBytes>();
  EXPECT_THAT(head_of(response), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
  std::string for_1_0;
  append_head(response, {.keep_alive = false, .http_1_0 = true, .date = "today"}, for_1_0);
  EXPECT_EQ(for_1_0, "HTTP/1.1 200 OK\r\nDate: today\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHead, GivesNoLengthWhereThereIsNoBody) {
  Response response;
  response.status = 204;
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
  EXPECT_FALSE(has_body(204));
  EXPECT_FALSE(has_body(304));
  EXPECT_FALSE(has_body(100));
  EXPECT_TRUE(has_body(200));
  EXPECT_TRUE(has_body(500));
}

TEST(ResponseHead, NamesStatusesItDoesNotKnow) {
  Response response;
  response.status = 299;
  EXPECT_THAT(head_of(response), StartsWith("HTTP/1.1 299 Status\r\n"));
}

TEST(ResponseHead, LetsNoValueEndItsField) {
  Response response;
  response.headers.add("X", std::string("a\r\nSet-Cookie: b\r\n\r\n<c>\0", 24));
  EXPECT_THAT(head_of(response), HasSubstr("X: a  Set-Cookie: b    <c> \r\n"));
}

TEST(DateField, IsWrittenAsHttpWantsIt) {
  DateField date;
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.at(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT");
  EXPECT_EQ(date.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace craton::http
