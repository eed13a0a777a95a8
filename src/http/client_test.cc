#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "http/one_shot_server.h"
#include "http/test_server.h"

namespace craton::http {
namespace {

using testing::HasSubstr;

/// What one transfer gave, and whoever waits for it.
class Transcript {
 public:
  /// `takes`: how many pieces of the body are taken before one is left until resume().
  ClientHandlers handlers(int takes = -1) {
    return {.on_head = [this](ClientHead head) { head_ = std::move(head); },
            .on_body =
                [this, takes](std::string_view bytes) mutable {
                  if (takes-- == 0) {
                    left_.set_value();
                    return false;
                  }
                  body_ += bytes;
                  ++pieces_;
                  return true;
                },
            .on_end = [this](TransferEnd end) { end_.set_value(std::move(end)); }};
  }

  TransferEnd end() { return end_.get_future().get(); }
  void wait_until_left() { left_.get_future().wait(); }
  int pieces() const { return pieces_; }
  const ClientHead& head() const { return head_; }
  const std::string& body() const { return body_; }

 private:
  ClientHead head_;
  std::string body_;
  std::atomic<int> pieces_ = 0;
  std::promise<TransferEnd> end_;
  std::promise<void> left_;
};

class ClientTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    start();
  }

  ClientRequest request(const std::string& target) {
    return {.url = "http://127.0.0.1:" + std::to_string(server_->port()) + target};
  }

  void wait_for_start() {
    ASSERT_TRUE(eventually([this] { return record_.started > 0; }));
  }

  Client client;
};

TEST_F(ClientTest, GetsAnAnswer) {
  Transcript transcript;
  client.send(request("/"), transcript.handlers());
  const TransferEnd end = transcript.end();
  EXPECT_EQ(end.fault, TransferFault::none) << end.reason;
  EXPECT_EQ(transcript.head().status, 200);
  EXPECT_EQ(transcript.head().headers.find("content-type"), "text/plain");
}

TEST_F(ClientTest, SpeaksBothProtocols) {
  for (const Protocol protocol : {Protocol::http1, Protocol::http2_plaintext}) {
    Transcript transcript;
    ClientRequest post = request("/size");
    post.method = "POST";
    post.protocol = protocol;
    post.body = std::string(3'000'000, 'b');
    client.send(std::move(post), transcript.handlers());
    const TransferEnd end = transcript.end();
    EXPECT_EQ(end.fault, TransferFault::none) << end.reason;
    EXPECT_EQ(transcript.body(), "3000000");
  }
}

TEST_F(ClientTest, TakesAStreamPieceByPiece) {
  Transcript transcript;
  client.send(request("/stream-bells"), transcript.handlers());
  for (int piece = 0; piece < 4; ++piece) {  // the server waits before each, and before the end
    EXPECT_TRUE(eventually([&] { return record_.started == piece + 1; }));
    EXPECT_TRUE(eventually([&] { return transcript.pieces() == piece; }));
    record_.bell.ring();
  }
  EXPECT_EQ(transcript.end().fault, TransferFault::none);
  EXPECT_EQ(transcript.body(), "piece 0;piece 1;piece 2;");
}

TEST_F(ClientTest, OffersAgainWhatWasNotTaken) {
  Transcript transcript;
  const auto transfer = client.send(request("/large"), transcript.handlers(3));
  transcript.wait_until_left();
  transfer->resume();
  EXPECT_EQ(transcript.end().fault, TransferFault::none);
  EXPECT_EQ(transcript.body(), *record_.large);
}

TEST_F(ClientTest, ManyAtOnce) {
  std::vector<Transcript> transcripts(300);
  for (Transcript& transcript : transcripts) {
    client.send(request("/stream"), transcript.handlers());
  }
  for (Transcript& transcript : transcripts) {
    EXPECT_EQ(transcript.end().fault, TransferFault::none);
    EXPECT_EQ(transcript.body(), "piece 0;piece 1;piece 2;");
  }
}

TEST_F(ClientTest, CancelReachesTheServer) {
  Transcript transcript;
  const auto transfer = client.send(request("/wait"), transcript.handlers());
  wait_for_start();
  transfer->cancel();
  transfer->cancel();
  EXPECT_EQ(transcript.end().fault, TransferFault::cancelled);
  EXPECT_TRUE(eventually([this] { return record_.cancelled == 1; }));
}

TEST_F(ClientTest, TellsWhenNobodyIsThere) {
  Transcript transcript;
  client.send({.url = "http://127.0.0.1:1/"}, transcript.handlers());
  EXPECT_EQ(transcript.end().fault, TransferFault::unreachable);
  Transcript file;
  client.send({.url = "file:///etc/hostname"}, file.handlers());
  EXPECT_EQ(file.end().fault, TransferFault::unreachable);
}

TEST_F(ClientTest, EndsWhatIsSilentForTooLong) {
  Transcript transcript;
  ClientRequest silent = request("/wait");
  silent.idle_limit = 50ms;
  client.send(std::move(silent), transcript.handlers());
  const TransferEnd end = transcript.end();
  EXPECT_EQ(end.fault, TransferFault::timed_out);
  EXPECT_EQ(end.reason, "nothing came for 50 ms");
  Transcript limited;
  ClientRequest late = request("/wait");
  late.limit = 50ms;
  client.send(std::move(late), limited.handlers());
  EXPECT_EQ(limited.end().fault, TransferFault::timed_out);
}

TEST_F(ClientTest, EndsWhatIsInProgressWithItself) {
  Transcript transcript;
  {
    Client passing;
    passing.send(request("/wait"), transcript.handlers());
    wait_for_start();
  }
  EXPECT_EQ(transcript.end().fault, TransferFault::cancelled);
}

TEST(Client, TellsABrokenAnswerFromAWholeOne) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "<html>", "",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\npiece"}) {
    OneShotServer server([&](const std::string&) { return answer; });
    Transcript transcript;
    Client client;
    client.send({.url = server.url()}, transcript.handlers());
    const TransferEnd end = transcript.end();
    EXPECT_EQ(end.fault, TransferFault::broken) << answer;
    EXPECT_NE(end.reason, "");
  }
}

TEST(Client, SendsTheFieldsOfTheRequestAlone) {
  std::string head;
  OneShotServer server([&](const std::string& request) {
    head = request;
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-empty:\r\n\r\n";
  });
  Transcript transcript;
  {
    Client client;
    ClientRequest request{.method = "POST", .url = server.url() + "/model/a%2Fb/../c%3A0/invoke"};
    request.headers.add("X-Mine", "1");
    request.headers.add("X-Empty", "");
    client.send(std::move(request), transcript.handlers());
    EXPECT_EQ(transcript.end().fault, TransferFault::none);
  }
  EXPECT_THAT(head, testing::StartsWith("POST /model/a%2Fb/../c%3A0/invoke HTTP/1.1\r\nHost: "));
  EXPECT_THAT(head, HasSubstr("X-Mine: 1\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Empty:\r\n"));
  for (const char* unasked : {"Accept", "User-Agent", "Content-Type", "Expect"}) {
    EXPECT_THAT(head, testing::Not(HasSubstr(unasked)));
  }
  EXPECT_EQ(transcript.head().headers.find("x-empty"), "");
}

}  // namespace
}  // namespace craton::http
