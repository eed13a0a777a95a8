#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "http/raw_client.h"
#include "http/test_server.h"

namespace craton::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServer : public ServerTest {};

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// Answers.

TEST_F(HttpServer, AnswersARequest) {
  start();
  const RawAnswer answer = ask(get("/a"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "GET /a ");
  EXPECT_EQ(answer.field("Content-Type"), "text/plain");
  EXPECT_EQ(answer.field("Connection"), "keep-alive");
  EXPECT_THAT(answer.field("Date"), HasSubstr(" GMT"));
}

TEST_F(HttpServer, AnswersManyRequestsOnOneConnection) {
  start();
  RawClient client = connect();
  for (int i = 0; i < 100; ++i) {
    client.send(post("/a", std::to_string(i)));
    EXPECT_EQ(client.read_answer().body, "POST /a " + std::to_string(i));
  }
}

TEST_F(HttpServer, CountsConnectionsAndTheirBytes) {
  start();
  const std::string request = get("/a");
  std::size_t received = 0;
  {
    RawClient client = connect();
    for (int i = 0; i < 3; ++i) {
      client.send(request);
      received += client.read_answer().body.size();
    }
    const Traffic traffic = server_->traffic();
    EXPECT_EQ(traffic.connections, 1u);
    EXPECT_EQ(traffic.connections_open, 1u);
    EXPECT_EQ(traffic.received_bytes, 3 * request.size());
    EXPECT_GT(traffic.sent_bytes, received);
  }
  EXPECT_TRUE(eventually([this] { return server_->traffic().connections_open == 0; }));
}

TEST_F(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  start();
  RawClient client = connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += get(i % 10 == 0 ? "/sleep" : "/" + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 100; ++i) {
    const std::string expected = i % 10 == 0 ? "slept" : "GET /" + std::to_string(i) + " ";
    ASSERT_EQ(client.read_answer().body, expected);
  }
}

TEST_F(HttpServer, KeepsWhatIsPipelinedWhileAHandlerRuns) {
  start();
  RawClient client = connect();
  client.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  const std::string body(300'000, 'x');  // more than is kept in memory meanwhile
  std::future<bool> sent = std::async(
      std::launch::async, [&] { return client.send(get("/b") + post("/size", body) + get("/c")); });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(record_.cancelled, 0);
  record_.bell.ring();
  EXPECT_TRUE(sent.get());
  EXPECT_EQ(client.read_answer().body, "rung");
  EXPECT_EQ(client.read_answer().body, "GET /b ");
  EXPECT_EQ(client.read_answer().body, "300000");
  EXPECT_EQ(client.read_answer().body, "GET /c ");
}

TEST_F(HttpServer, AnswersWhatArrivesOneByteAtATime) {
  start();
  RawClient client = connect();
  const std::string request = post("/a", "body");
  for (const char& byte : request) {
    client.send({&byte, 1});
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(client.read_answer().body, "POST /a body");
}

TEST_F(HttpServer, EndsTheConnectionWhenAsked) {
  start();
  RawClient client = connect();
  client.send(get("/a", "Connection: close\r\n"));
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.body, "GET /a ");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServer, EndsHttp10ConnectionsUnlessAskedToKeepThem) {
  start();
  RawClient client = connect();
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read_answer().field("Connection"), "keep-alive");
  client.send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "GET /b ");
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  start();
  RawClient client = connect();
  client.send("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b"));
  EXPECT_EQ(client.read_answer(true).field("Content-Length"), "10");
  EXPECT_EQ(client.read_answer().body, "GET /b ");
}

TEST_F(HttpServer, SendsNoBodyWhereThereIsNone) {
  start();
  RawClient client = connect();
  client.send(get("/no-content") + get("/b"));
  EXPECT_EQ(client.read_answer().status, 204);
  EXPECT_EQ(client.read_answer().body, "GET /b ");
}

TEST_F(HttpServer, SendsALargeAnswerToAReaderWithASmallBuffer) {
  start();
  RawClient client(server_->port(), 4096);
  client.send(get("/large") + get("/b"));
  EXPECT_TRUE(client.read_answer().body == *record_.large);
  EXPECT_EQ(client.read_answer().body, "GET /b ");
}

TEST_F(HttpServer, TakesALargeBody) {
  start();
  EXPECT_EQ(ask(post("/size", std::string(20'000'000, 'x'))).body, "20000000");
}

TEST_F(HttpServer, TakesAChunkedBody) {
  start();
  EXPECT_EQ(ask("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n0\r\n\r\n")
                .body,
            "POST /a hello");
}

TEST_F(HttpServer, AsksForABodyThatTheClientHoldsBack) {
  start();
  RawClient client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().head, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(client.read_answer().body, "POST /a hello");
}

TEST_F(HttpServer, AnswersAClientThatHasShutDownItsSide) {
  start();
  RawClient client = connect();
  client.send(get("/a") + get("/b"));
  client.shut_down_sending();
  EXPECT_EQ(client.read_answer().body, "GET /a ");
  EXPECT_EQ(client.read_answer().body, "GET /b ");
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServer, AnswersAnExceptionWith500AndGoesOn) {
  start();
  RawClient client = connect();
  client.send(get("/throw") + get("/b"));
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("a bug"))) << "the text is for the log";
  EXPECT_EQ(client.read_answer().body, "GET /b ");
}

// Streamed answers.

TEST_F(HttpServer, SendsAStreamInChunks) {
  start();
  RawClient client = connect();
  client.send(get("/stream") + get("/b"));
  EXPECT_THAT(client.read_head(),
              AllOf(HasSubstr("\r\nTransfer-Encoding: chunked\r\n"),
                    HasSubstr("\r\nConnection: keep-alive\r\n"), Not(HasSubstr("Content-Length"))));
  for (const char* piece : {"piece 0;", "piece 1;", "piece 2;", ""}) {
    EXPECT_EQ(client.read_chunk(), piece);
  }
  EXPECT_EQ(client.read_answer().body, "GET /b ") << "the connection goes on";
  EXPECT_EQ(record_.streams, 0);
}

TEST_F(HttpServer, SendsEachPieceAsSoonAsItIsMade) {
  start();
  RawClient client = connect();
  client.send(get("/stream-bells"));
  EXPECT_THAT(client.read_head(), HasSubstr("200 OK")) << "before there is any piece";
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(eventually([&] { return record_.started == i + 1; }));
    record_.bell.ring();
    EXPECT_EQ(client.read_chunk(), "piece " + std::to_string(i) + ";");
  }
  ASSERT_TRUE(eventually([&] { return record_.started == 4; }));
  record_.bell.ring();
  EXPECT_EQ(client.read_chunk(), "");
}

TEST_F(HttpServer, SendsAnEmptyStream) {
  start();
  RawClient client = connect();
  client.send(get("/stream-empty") + get("/b"));
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(client.read_answer().body, "GET /b ");
}

TEST_F(HttpServer, AnswersRequestsPipelinedBehindAStream) {
  start();
  RawClient client = connect();
  client.send(get("/stream-late"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  client.send(get("/b") + get("/stream") + get("/c"));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(record_.cancelled, 0);
  record_.bell.ring();
  const std::string whole = "piece 0;piece 1;piece 2;";
  for (const std::string& body : {whole, std::string("GET /b "), whole, std::string("GET /c ")}) {
    EXPECT_EQ(client.read_answer().body, body);
  }
}

TEST_F(HttpServer, EndsAStreamForHttp10WithTheConnection) {
  start();
  RawClient client = connect();
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_head(),
              AllOf(HasSubstr("\r\nConnection: close\r\n"), Not(HasSubstr("Transfer-Encoding"))));
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(client.unread(), "piece 0;piece 1;piece 2;");
}

TEST_F(HttpServer, DropsTheStreamThatAnswersHead) {
  start();
  RawClient client = connect();
  client.send("HEAD /stream-bells HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b"));
  EXPECT_EQ(client.read_answer(true).field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(client.read_answer().body, "GET /b ");
  EXPECT_EQ(record_.streams, 0);
  EXPECT_EQ(record_.started, 0);
}

TEST_F(HttpServer, BreaksOffAStreamThatFails) {
  start();
  RawClient client = connect();
  client.send(get("/stream-throw") + get("/never"));
  client.read_head();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read_chunk(), "piece " + std::to_string(i) + ";");
  EXPECT_EQ(client.read_chunk(), std::nullopt) << "no last chunk";
  EXPECT_EQ(record_.streams, 0);
}

TEST_F(HttpServer, ResetsWhereTheEndWouldMeanThatTheStreamIsWhole) {
  start();
  RawClient client = connect();
  client.send("GET /stream-throw HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(client.at_end()) << "reset";
}

TEST_F(HttpServer, LetsASlowReaderSlowItsOwnStreamOnly) {
  start();
  RawClient slow(server_->port(), 4096);
  slow.send(get("/stream-long"));
  slow.read_head();
  int before = -1;
  ASSERT_TRUE(eventually([&] {
    std::this_thread::sleep_for(20ms);
    return std::exchange(before, record_.pieces.load()) == record_.pieces && before > 0;
  })) << "the kernel's buffers are full";
  EXPECT_LT(record_.pieces, 2'000) << "no more is made than the kernel takes";
  EXPECT_EQ(ask(get("/stream")).body, "piece 0;piece 1;piece 2;");
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(slow.read_chunk(), std::string(10'000, 'p')) << i;
  EXPECT_EQ(record_.streams, 1);
  slow.close();
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
}

TEST_F(HttpServer, GivesUpOnAStreamWhoseReaderStops) {
  start(quick());
  RawClient client(server_->port(), 4096);
  client.send(get("/stream-long"));
  ASSERT_TRUE(eventually([&] { return record_.streams == 1; }));
  EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
  EXPECT_EQ(client.read_answer().status, 0) << "cut off";
}

TEST_F(HttpServer, DoesNotTimeOutWhileAStreamIsSilent) {
  start(quick());
  RawClient client = connect();
  client.send(get("/stream-late"));
  std::this_thread::sleep_for(600ms);
  record_.bell.ring();
  EXPECT_EQ(client.read_answer().body, "piece 0;piece 1;piece 2;");
}

TEST_F(HttpServer, DestroysTheStreamAtOnceWhenTheReaderIsGone) {
  start();
  for (const bool with_reset : {false, true}) {
    const int cancelled = record_.cancelled;
    RawClient client = connect();
    client.send(get("/stream-late") + get("/pipelined"));
    client.read_head();
    ASSERT_TRUE(eventually([&] { return record_.started == cancelled + 1; }));
    with_reset ? client.reset() : client.close();
    EXPECT_TRUE(eventually([&] { return record_.streams == 0; }));
    EXPECT_EQ(record_.cancelled, cancelled + 1);
  }
  record_.bell.ring();  // too late, and nobody is hurt
  EXPECT_EQ(ask(get("/a")).status, 200);
  EXPECT_EQ(record_.pieces, 0);
}

TEST_F(HttpServer, SharesAThreadBetweenStreamsThatNeverWait) {
  start();
  RawClient greedy = connect();
  std::future<bool> drained = std::async(std::launch::async, [&] {
    greedy.send(get("/stream-long"));
    greedy.read_head();
    for (int i = 0; i < 20'000; ++i) {
      if (!greedy.read_chunk()) return false;
    }
    return true;
  });
  ASSERT_TRUE(eventually([&] { return record_.pieces > 0; }));
  EXPECT_EQ(ask(get("/a")).status, 200);
  EXPECT_LT(record_.pieces, 100'000);
  EXPECT_TRUE(drained.get());
}

// Refusals.

TEST_F(HttpServer, RefusesBadRequestsAndEndsTheConnection) {
  start();
  RawClient client = connect();
  client.send(get("/a") + "GET /\r\n\r\n" + get("/never"));
  EXPECT_EQ(client.read_answer().status, 200);
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "The request line is malformed.");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(client.unread(), "");
}

TEST_F(HttpServer, RefusesATooLargeBodyBeforeItIsSent) {
  start();
  RawClient client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 25000001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST_F(HttpServer, LetsAClientReadItsRefusalThatSendsOnRegardless) {
  start();
  RawClient client = connect();
  const std::string megabyte(1'000'000, 'x');
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n"));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.send(megabyte)) << i;
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_TRUE(client.at_end()) << "closed in order, not reset";
}

TEST_F(HttpServer, RefusesAnEndlessHeader) {
  start();
  RawClient client = connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(70'000, 'a'));
  EXPECT_EQ(client.read_answer().status, 431);
  EXPECT_TRUE(client.at_end());
}

// Time-outs.

TEST_F(HttpServer, ClosesIdleConnectionsWithoutAWord) {
  start(quick());
  RawClient fresh = connect();
  RawClient used = connect();
  used.send(get("/a"));
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_TRUE(used.at_end());
  EXPECT_TRUE(fresh.at_end());
  EXPECT_EQ(fresh.unread() + used.unread(), "");
}

TEST_F(HttpServer, TimesOutAHeaderHoweverItTrickles) {
  start(quick());
  RawClient client = connect();
  std::future<RawAnswer> answer =
      std::async(std::launch::async, [&] { return client.read_answer(); });
  client.send("GET / HTTP/1.1\r\nA: ");
  const auto begin = steady_clock::now();
  while (answer.wait_for(20ms) == std::future_status::timeout &&
         steady_clock::now() < begin + 10s) {
    client.send("a");
  }
  EXPECT_EQ(answer.get().status, 408);
}

TEST_F(HttpServer, TimesOutABodyThatStops) {
  start(quick());
  RawClient client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServer, TimesOutABodyThatComesInCrumbs) {
  start(quick());
  RawClient client = connect();
  std::future<RawAnswer> answer =
      std::async(std::launch::async, [&] { return client.read_answer(); });
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  const auto begin = steady_clock::now();
  while (answer.wait_for(20ms) == std::future_status::timeout &&
         steady_clock::now() < begin + 10s) {
    client.send("a");
  }
  EXPECT_EQ(answer.get().status, 408);
}

TEST_F(HttpServer, WaitsForABodyThatKeepsComing) {
  start(quick());
  RawClient client = connect();
  client.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n");
  for (int i = 0; i < 20; ++i) {  // 0.6 s, three times the time-out
    client.send(std::string(500, 'a'));
    std::this_thread::sleep_for(30ms);
  }
  EXPECT_EQ(client.read_answer().body, "10000");
}

TEST_F(HttpServer, GivesEachRequestItsOwnTimeForTheHeader) {
  start(quick());
  RawClient client = connect();
  for (int i = 0; i < 5; ++i) {
    client.send("GET /a HT");
    std::this_thread::sleep_for(100ms);
    client.send("TP/1.1\r\nHost: h\r\n\r\nGET /b HT");  // the next one begins with this one's end
    EXPECT_EQ(client.read_answer().status, 200);
    std::this_thread::sleep_for(100ms);
    client.send("TP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
  }
}

TEST_F(HttpServer, DoesNotTimeOutWhileAHandlerRuns) {
  start(quick());
  RawClient client = connect();
  client.send(get("/wait"));
  std::this_thread::sleep_for(600ms);
  record_.bell.ring();
  EXPECT_EQ(client.read_answer().body, "rung");
}

TEST_F(HttpServer, GivesUpOnAReaderThatStopsReading) {
  start(quick());
  RawClient client(server_->port(), 4096);
  client.send(get("/large"));
  std::this_thread::sleep_for(600ms);
  EXPECT_EQ(client.read_answer().status, 0) << "the answer was cut off";
}

// Peers that go away.

TEST_F(HttpServer, CancelsTheHandlerWhenThePeerCloses) {
  start();
  RawClient client = connect();
  client.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return record_.cancelled == 1; }));
  record_.bell.ring();  // too late, and nobody is hurt
  EXPECT_EQ(ask(get("/a")).status, 200);
  EXPECT_EQ(record_.finished, 0);
}

TEST_F(HttpServer, CancelsTheHandlerWhenThePeerResets) {
  start();
  RawClient client = connect();
  client.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return record_.cancelled == 1; }));
}

TEST_F(HttpServer, CancelsTheHandlerBehindPipelinedRequests) {
  start();
  RawClient client = connect();
  client.send(get("/wait") + get("/a"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  client.send(get("/b"));
  client.close();
  EXPECT_TRUE(eventually([&] { return record_.cancelled == 1; }));
}

TEST_F(HttpServer, SurvivesWakeUpsAndHangUpsAtTheSameTime) {
  start({.threads = 2});
  std::atomic<bool> done = false;
  std::thread ringer([&] {
    while (!done) record_.bell.ring();
  });
  for (int i = 0; i < 500; ++i) {
    RawClient client = connect();
    client.send(get("/wait"));
    if (i % 3 == 0) continue;
    if (i % 3 == 1) std::this_thread::sleep_for(std::chrono::microseconds(i));
    if (i % 3 == 2) {
      EXPECT_EQ(client.read_answer().body, "rung");
    }
  }
  done = true;
  ringer.join();
  EXPECT_EQ(ask(get("/a")).status, 200);
}

// Starting and ending.

TEST_F(HttpServer, SaysSoWhenThePortIsTaken) {
  start({.threads = 2});
  Server second({.port = server_->port(), .threads = 2}, {}, refusal);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message,
              StartsWith("Cannot listen on 127.0.0.1:" + std::to_string(server_->port()) + ": "));
  EXPECT_THAT(started.error().message, HasSubstr("choose another --port"));
  EXPECT_EQ(ask(get("/a")).status, 200) << "the first goes on";
}

TEST_F(HttpServer, IsTheOnlyOneToHaveAPortHoweverManyTry) {
  start();
  const ServerOptions options{.port = server_->port(), .threads = 2};
  server_->stop();
  int rounds_won = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::unique_ptr<Server>> servers;
    std::vector<std::future<bool>> started;
    for (int i = 0; i < 4; ++i) {
      Server& server = *servers.emplace_back(std::make_unique<Server>(options, Handler(), refusal));
      started.push_back(std::async(std::launch::async, [&] { return bool(server.start()); }));
    }
    int winners = 0;
    for (auto& one : started) winners += one.get();
    ASSERT_LE(winners, 1);
    rounds_won += winners;
  }
  EXPECT_GT(rounds_won, 0);
}

TEST_F(HttpServer, CanHaveItsPortAgainAtOnce) {
  start();
  const std::uint16_t port = server_->port();
  RawClient client = connect();
  client.send(get("/a"));
  EXPECT_EQ(client.read_answer().status, 200);
  server_->stop();  // the connection is left in TIME_WAIT
  start({.port = port});
  EXPECT_EQ(ask(get("/a")).status, 200);
}

TEST_F(HttpServer, SaysSoWhenTheHostIsUnknown) {
  Server server({.host = "999.1.1.1"}, {}, refusal);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("999.1.1.1"));
}

TEST_F(HttpServer, SaysSoWhenTheAddressIsAnotherMachines) {
  Server server({.host = "192.0.2.1"}, {}, refusal);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("no such address"));
}

TEST_F(HttpServer, ListensOnIpv6) {
  Server server({.host = "::1", .threads = 2}, {}, refusal);
  const auto started = server.start();
  if (!started) GTEST_SKIP() << started.error().message;
  EXPECT_NE(server.port(), 0);
}

TEST_F(HttpServer, SpreadsConnectionsOverItsThreads) {
  start({.threads = 4});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    clients.back()->send(get("/a"));
  }
  for (const auto& client : clients) EXPECT_EQ(client->read_answer().status, 200);
}

TEST_F(HttpServer, DrainsIdleConnectionsAtOnce) {
  start({.threads = 2});
  RawClient fresh = connect();
  RawClient used = connect();
  used.send(get("/a"));
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_TRUE(server_->drain(5s));
  EXPECT_TRUE(fresh.at_end());
  EXPECT_TRUE(used.at_end());
  EXPECT_FALSE(RawClient(server_->port()).connected()) << "new connections are refused";
}

TEST_F(HttpServer, DrainsAfterTheAnswerInProgress) {
  start();
  RawClient client = connect();
  client.send(get("/wait") + get("/never"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  std::future<bool> drained = std::async(std::launch::async, [&] { return server_->drain(10s); });
  EXPECT_EQ(drained.wait_for(100ms), std::future_status::timeout);
  record_.bell.ring();
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.body, "rung");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client.at_end());
  client.close();
  EXPECT_TRUE(drained.get());
  EXPECT_EQ(client.unread(), "");
}

TEST_F(HttpServer, DrainsAfterTheStreamInProgress) {
  start();
  RawClient client = connect();
  client.send(get("/stream-bells"));
  EXPECT_THAT(client.read_head(), HasSubstr("keep-alive"));
  std::future<bool> drained = std::async(std::launch::async, [&] { return server_->drain(10s); });
  EXPECT_EQ(drained.wait_for(100ms), std::future_status::timeout);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(eventually([&] { return record_.started == i + 1; }));
    record_.bell.ring();
    EXPECT_EQ(client.read_chunk(), i < 3 ? "piece " + std::to_string(i) + ";" : "");
  }
  EXPECT_TRUE(client.at_end());
  client.close();
  EXPECT_TRUE(drained.get());
}

TEST_F(HttpServer, StopsInTheMiddleOfAStream) {
  start();
  RawClient client = connect();
  client.send(get("/stream-late"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  server_->stop();
  EXPECT_EQ(record_.streams, 0);
  EXPECT_EQ(record_.cancelled, 1);
}

TEST_F(HttpServer, DrainsAfterARequestThatHasBegun) {
  start();
  RawClient client = connect();
  client.send("GET /a HT");
  std::this_thread::sleep_for(50ms);
  std::future<bool> drained = std::async(std::launch::async, [&] { return server_->drain(10s); });
  std::this_thread::sleep_for(50ms);
  client.send("TP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "GET /a ");
  client.close();
  EXPECT_TRUE(drained.get());
}

TEST_F(HttpServer, GivesUpDrainingAtTheLimit) {
  start();
  RawClient client = connect();
  client.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  EXPECT_FALSE(server_->drain(50ms));
  server_->stop();
  EXPECT_EQ(record_.cancelled, 1);
}

TEST_F(HttpServer, StopEndsADrain) {
  start();
  RawClient client = connect();
  client.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  std::future<bool> drained = std::async(std::launch::async, [&] { return server_->drain(60s); });
  EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout);
  server_->stop();
  EXPECT_FALSE(drained.get());
  EXPECT_EQ(client.read_answer().status, 0);
}

TEST_F(HttpServer, StopsWithEveryKindOfConnectionOpen) {
  start({.threads = 2});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port(), 4096));
    const std::string requests[] = {"", "GET /", get("/wait"), get("/large"),
                                    post("/a", "x") + "P"};
    clients.back()->send(requests[i % 5]);
  }
  ASSERT_TRUE(eventually([&] { return record_.started == 8; }));
  server_->stop();
  server_->stop();
  EXPECT_EQ(record_.cancelled, 8);
}

TEST_F(HttpServer, StopsInSpiteOfAHandlerThatDoesNot) {
  start();
  RawClient client = connect();
  client.send(get("/stubborn"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  server_->stop();
  record_.bell.ring();  // too late, and nobody is hurt
  EXPECT_EQ(record_.finished, 0);
}

TEST_F(HttpServer, StopsBeforeItStarted) {
  Server server({}, {}, refusal);
  EXPECT_TRUE(server.drain(1s));
  server.stop();
}

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

/// While it lives, the process can open no descriptor but those that free() gave back.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{512, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = 0; (fd = ::dup(0)) >= 0;) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    while (!taken_.empty()) free();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

  void free() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(HttpServer, WaitsForDescriptorsWhenThereAreNone) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizers open descriptors to look at memory, and report what they cannot";
#endif
#endif
  start();
  EXPECT_EQ(ask(get("/a")).status, 200);
  std::optional<RawClient> client;
  {
    NoDescriptors none;
    none.free();  // for the client: of one process with the server
    client.emplace(server_->port());
    ASSERT_TRUE(client->connected());
    client->send(get("/b"));
    std::this_thread::sleep_for(250ms);
  }
  EXPECT_EQ(client->read_answer().body, "GET /b ");
}

TEST_F(HttpServer, GivesBackEveryDescriptor) {
  start({.threads = 2});
  ask(get("/a"));
  std::size_t before = 0;
  eventually([&] { return std::exchange(before, open_files()) == before; });
  for (int i = 0; i < 10'000; ++i) {
    RawClient client = connect();
    if (i % 4 == 1) client.send("GET /");
    if (i % 4 == 2) client.send(get("/a"));
    if (i % 4 == 3) client.send(get("/wait"));
    if (i % 2 == 0) client.reset();
  }
  EXPECT_TRUE(eventually([&] { return open_files() <= before; }))
      << open_files() << " > " << before;
  EXPECT_EQ(ask(get("/a")).status, 200);
}

}  // namespace
}  // namespace craton::http
