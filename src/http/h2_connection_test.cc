#include "http/h2_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "http/h2_client.h"
#include "http/test_server.h"

namespace craton::http {
namespace {

using testing::HasSubstr;

class Http2Server : public ServerTest {
 protected:
  H2Client speak(H2Peer::Options options = {}) { return H2Client(server_->port(), options); }
};

TEST_F(Http2Server, AnswersARequest) {
  start();
  H2Client client = speak();
  const auto& answer = client.wait(client.request("POST", "/a", "body"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "POST /a body");
  EXPECT_EQ(answer.fields.at("content-type"), "text/plain");
  EXPECT_EQ(answer.fields.at("content-length"), "12");
  EXPECT_THAT(answer.fields.at("date"), HasSubstr(" GMT"));
  EXPECT_EQ(answer.fields.count("connection"), 0);
}

TEST_F(Http2Server, SharesItsPortWithHttp11) {
  start();
  H2Client second = speak();
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").body, "GET /a ");
  EXPECT_EQ(second.wait(second.get("/a")).body, "GET /a ");
}

TEST_F(Http2Server, IsKnownByItsPrefaceHoweverThatArrives) {
  start();
  RawClient client = connect();
  H2Peer peer;
  const std::int32_t id = peer.request("GET", "/a");
  for (const char byte : peer.output()) client.send({&byte, 1});
  while (!peer.answer(id).closed && client.read_some()) peer.feed(client.take_unread());
  EXPECT_EQ(peer.answer(id).body, "GET /a ");
}

TEST_F(Http2Server, IsSpokenFromTheFirstByteOrNotAtAll) {
  start();
  RawClient client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + h2_preface);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 505);
  RawClient upgrade = connect();
  upgrade.send(
      "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
  EXPECT_EQ(upgrade.read_answer().status, 200) << "and goes on with HTTP/1.1";
}

TEST_F(Http2Server, ShowsHandlersTheAuthority) {
  start();
  H2Client client = speak();
  const auto& answer = client.wait(client.request("GET", "/headers", "", {{"x-a", "1"}}));
  EXPECT_EQ(answer.body, ":authority: h\nx-a: 1\nhost: h\n");
}

TEST_F(Http2Server, AnswersManyStreamsAtOnce) {
  start();
  H2Client client = speak();
  client.wait(client.get("/a"));  // and learns how many streams there may be
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(client.peer().request("GET", "/wait"));
  client.send();
  ASSERT_TRUE(eventually([&] { return record_.started == 200; }));
  const std::int32_t quick_one = client.get("/a");
  EXPECT_EQ(client.wait(quick_one).body, "GET /a ") << "while the others wait";
  record_.bell.ring();
  for (const std::int32_t id : ids) EXPECT_EQ(client.wait(id).body, "rung");
}

TEST_F(Http2Server, SendsALargeAnswerThroughSmallWindows) {
  start();
  H2Client client = speak();
  const std::int32_t large = client.get("/large");
  const std::int32_t small = client.get("/a");
  EXPECT_EQ(client.wait(small).body, "GET /a ");
  EXPECT_FALSE(client.peer().answer(large).closed) << "the small one is not kept behind it";
  EXPECT_TRUE(client.wait(large).body == *record_.large);
}

TEST_F(Http2Server, TakesALargeBody) {
  start();
  H2Client client = speak();
  EXPECT_EQ(client.wait(client.request("POST", "/size", std::string(20'000'000, 'x'))).body,
            "20000000");
}

TEST_F(Http2Server, AnswersHeadAndNoContentWithoutABody) {
  start();
  H2Client client = speak();
  const auto& head = client.wait(client.request("HEAD", "/abc"));
  EXPECT_EQ(head.fields.at("content-length"), "10");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.wait(client.request("HEAD", "/stream-bells")).body, "");
  EXPECT_EQ(record_.streams, 0);
  const auto& nothing = client.wait(client.get("/no-content"));
  EXPECT_EQ(nothing.status, 204);
  EXPECT_EQ(nothing.fields.count("content-length"), 0);
}

TEST_F(Http2Server, AnswersAnExceptionWith500AndGoesOn) {
  start();
  H2Client client = speak();
  EXPECT_EQ(client.wait(client.get("/throw")).status, 500);
  EXPECT_EQ(client.wait(client.get("/a")).status, 200);
}

TEST_F(Http2Server, RefusesATooLargeBodyBeforeItIsSent) {
  start({.body_bytes_max = 1000});
  H2Client client = speak();
  const std::int32_t id = client.peer().begin("POST", "/", {{"content-length", "1001"}});
  client.send();
  EXPECT_EQ(client.wait(id).status, 413);
  EXPECT_EQ(client.wait(client.get("/a")).status, 200);
}

TEST_F(Http2Server, AnswersPingsWhileHandlersRun) {
  start();
  H2Client client = speak();
  client.get("/wait");
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  client.peer().ping();
  client.send();
  EXPECT_TRUE(client.until([&] { return client.peer().pongs() == 1; }));
}

// Streamed answers.

TEST_F(Http2Server, SendsEachPieceAsSoonAsItIsMade) {
  start();
  H2Client client = speak();
  const std::int32_t id = client.get("/stream-bells");
  const auto& answer = client.peer().answer(id);
  ASSERT_TRUE(client.until([&] { return answer.status == 200; })) << "before there is any piece";
  std::string expected;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(eventually([&] { return record_.started == i + 1; }));
    record_.bell.ring();
    expected += "piece " + std::to_string(i) + ";";
    EXPECT_TRUE(client.until([&] { return answer.body == expected; }));
  }
  ASSERT_TRUE(eventually([&] { return record_.started == 4; }));
  record_.bell.ring();
  EXPECT_EQ(client.wait(id).code, NGHTTP2_NO_ERROR);
  EXPECT_EQ(answer.fields.count("transfer-encoding") + answer.fields.count("content-length"), 0);
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
}

TEST_F(Http2Server, SendsAnEmptyStream) {
  start();
  H2Client client = speak();
  const auto& answer = client.wait(client.get("/stream-empty"));
  EXPECT_TRUE(answer.closed);
  EXPECT_EQ(answer.body, "");
}

TEST_F(Http2Server, ResetsAStreamThatFails) {
  start();
  H2Client client = speak();
  const auto& answer = client.wait(client.get("/stream-throw"));
  EXPECT_EQ(answer.code, NGHTTP2_INTERNAL_ERROR);
  EXPECT_EQ(client.wait(client.get("/a")).status, 200) << "the connection goes on";
  EXPECT_EQ(record_.streams, 0);
}

TEST_F(Http2Server, LetsASlowReaderSlowItsOwnStreamOnly) {
  start();
  H2Client client = speak({.opens_windows = false});
  const std::int32_t slow = client.get("/stream-long");
  EXPECT_TRUE(client.until([&] { return client.peer().answer(slow).body.size() == 65'535; }));
  client.peer().consume(slow, 60'000);
  client.send();
  EXPECT_TRUE(client.until([&] { return client.peer().answer(slow).body.size() >= 120'000; }));
  EXPECT_LE(record_.pieces, 14) << "no more is made than the window takes";
  EXPECT_EQ(record_.streams, 1);
}

TEST_F(Http2Server, SendsALongStreamThroughSmallWindows) {
  start();
  H2Client client = speak();
  const std::int32_t id = client.get("/stream-long");
  EXPECT_TRUE(client.until([&] { return client.peer().answer(id).body.size() > 20'000'000; }));
  client.peer().reset(id);
  client.send();
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
}

TEST_F(Http2Server, GivesUpOnAReaderThatStopsReading) {
  start(quick());
  H2Client client(server_->port(), {.window = 1 << 30}, 4096);
  const std::int32_t id = client.get("/stream-long");
  client.peer().consume(id, 0);
  ASSERT_TRUE(eventually([&] { return record_.streams == 1; }));
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
}

TEST_F(Http2Server, FinishesStreamsAfterTheClientsGoodbye) {
  start();
  H2Client client = speak();
  const std::int32_t id = client.get("/stream-bells");
  ASSERT_TRUE(client.until([&] { return client.peer().answer(id).status == 200; }));
  client.peer().say_goodbye();
  client.send();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(eventually([&] { return record_.started == i + 1; }));
    record_.bell.ring();
  }
  EXPECT_EQ(client.wait(id).body, "piece 0;piece 1;piece 2;");
  EXPECT_EQ(client.peer().answer(id).code, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(client.at_end());
}

// Peers that go away.

TEST_F(Http2Server, CancelsTheHandlerOfAStreamThatIsReset) {
  start();
  H2Client client = speak();
  const std::int32_t id = client.get("/wait");
  const std::int32_t other = client.get("/wait");
  ASSERT_TRUE(eventually([&] { return record_.started == 2; }));
  client.peer().reset(id);
  client.send();
  ASSERT_TRUE(eventually([&] { return record_.cancelled == 1; }));
  record_.bell.ring();
  EXPECT_EQ(client.wait(other).body, "rung");
  EXPECT_EQ(record_.cancelled, 1);
}

TEST_F(Http2Server, DestroysTheStreamAtOnceWhenItsReaderResetsIt) {
  start();
  H2Client client = speak();
  const std::int32_t id = client.get("/stream-late");
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  client.peer().reset(id);
  client.send();
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
  EXPECT_EQ(record_.cancelled, 1);
}

TEST_F(Http2Server, CancelsEverythingWhenThePeerGoesAway) {
  for (const bool with_reset : {false, true}) {
    start();
    H2Client client = speak();
    const int cancelled = record_.cancelled;
    const int started = record_.started;
    for (int i = 0; i < 5; ++i) client.get(i % 2 == 0 ? "/wait" : "/stream-late");
    ASSERT_TRUE(eventually([&] { return record_.started == started + 5; }));
    with_reset ? client.socket().reset() : client.socket().close();
    EXPECT_TRUE(eventually([&] { return record_.cancelled == cancelled + 5; }));
    EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
  }
}

TEST_F(Http2Server, SurvivesWakeUpsAndResetsAtTheSameTime) {
  start({.threads = 2});
  std::atomic<bool> done = false;
  std::thread ringer([&] {
    while (!done) record_.bell.ring();
  });
  for (int round = 0; round < 50; ++round) {
    H2Client client = speak();
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 20; ++i) {
      ids.push_back(client.get(i % 2 == 0 ? "/wait" : "/stream-bells"));
      if (i % 3 == 0) client.peer().reset(ids.back());
    }
    client.send();
    if (round % 2 == 0) continue;
    for (int i = 0; i < 20; ++i) {
      const std::string_view body = i % 2 == 0 ? "rung" : "piece 0;piece 1;piece 2;";
      if (i % 3 != 0) {
        EXPECT_EQ(client.wait(ids[i]).body, body);
      }
    }
  }
  done = true;
  ringer.join();
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
}

TEST_F(Http2Server, HasABoundOnHandlersThatDoNotEnd) {
  start({.streams_max = 10});
  H2Client client = speak();
  for (int i = 0; i < 60; ++i) {
    client.peer().reset(client.get("/stubborn"));
    client.send();
  }
  const std::int32_t next = client.get("/a");
  EXPECT_EQ(client.wait(next).code, NGHTTP2_REFUSED_STREAM);
  EXPECT_LE(record_.started, 20);
  record_.bell.ring();
  EXPECT_TRUE(eventually([&] { return record_.finished == record_.started; }));
  EXPECT_EQ(client.wait(client.get("/a")).status, 200);
}

// Time-outs.

TEST_F(Http2Server, ClosesIdleConnections) {
  start(quick());
  H2Client fresh = speak();
  fresh.send();
  H2Client used = speak();
  used.wait(used.get("/a"));
  EXPECT_TRUE(used.at_end());
  EXPECT_TRUE(fresh.at_end());
  EXPECT_EQ(used.peer().goaway(), NGHTTP2_NO_ERROR);
}

TEST_F(Http2Server, TimesOutAPrefaceThatStops) {
  start(quick());
  RawClient client = connect();
  client.send("PRI * HTTP/2.0");
  EXPECT_TRUE(client.at_end());
}

TEST_F(Http2Server, TimesOutABodyThatStops) {
  start(quick());
  H2Client client = speak();
  const std::int32_t id = client.peer().begin("POST", "/");
  client.peer().data(id, "hell", false);
  client.send();
  EXPECT_EQ(client.wait(id).status, 408);
  EXPECT_EQ(client.wait(client.get("/a")).status, 200);
}

TEST_F(Http2Server, DoesNotTimeOutWhileAnswersAreMade) {
  start(quick());
  H2Client client = speak();
  const std::int32_t waiting = client.get("/wait");
  const std::int32_t streaming = client.get("/stream-late");
  ASSERT_TRUE(eventually([&] { return record_.started == 2; }));
  std::this_thread::sleep_for(900ms);
  record_.bell.ring();
  EXPECT_EQ(client.wait(waiting).body, "rung");
  EXPECT_EQ(client.wait(streaming).body, "piece 0;piece 1;piece 2;");
}

// Ending.

TEST_F(Http2Server, DrainsIdleConnectionsAtOnce) {
  start({.threads = 2});
  H2Client client = speak();
  client.wait(client.get("/a"));
  std::future<bool> drained = std::async(std::launch::async, [&] { return server_->drain(10s); });
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(client.peer().goaway(), NGHTTP2_NO_ERROR);
  client.socket().close();
  EXPECT_TRUE(drained.get());
}

TEST_F(Http2Server, DrainsAfterTheAnswersInProgress) {
  start();
  H2Client client = speak();
  const std::int32_t waiting = client.get("/wait");
  const std::int32_t streaming = client.get("/stream-bells");
  ASSERT_TRUE(eventually([&] { return record_.started == 2; }));
  std::future<bool> drained = std::async(std::launch::async, [&] { return server_->drain(10s); });
  ASSERT_TRUE(client.until([&] { return client.peer().goaway().has_value(); }));
  EXPECT_EQ(drained.wait_for(100ms), std::future_status::timeout);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(eventually([&] { return record_.started == i + 2; }));
    record_.bell.ring();
  }
  EXPECT_EQ(client.wait(waiting).body, "rung");
  EXPECT_EQ(client.wait(streaming).body, "piece 0;piece 1;piece 2;");
  EXPECT_TRUE(client.at_end());
  client.socket().close();
  EXPECT_TRUE(drained.get());
}

TEST_F(Http2Server, StopsInTheMiddleOfStreams) {
  start({.threads = 2});
  std::vector<std::unique_ptr<H2Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<H2Client>(server_->port()));
    clients.back()->get("/wait");
    clients.back()->get("/stream-late");
    clients.back()->get("/large");
  }
  ASSERT_TRUE(eventually([&] { return record_.started == 20; }));
  server_->stop();
  EXPECT_EQ(record_.cancelled, 20);
  EXPECT_EQ(record_.streams, 0);
}

TEST_F(Http2Server, StopsInSpiteOfAHandlerThatDoesNot) {
  start();
  H2Client client = speak();
  client.get("/stubborn");
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  server_->stop();
  record_.bell.ring();  // too late, and nobody is hurt
  EXPECT_EQ(record_.finished, 0);
}

}  // namespace
}  // namespace craton::http
