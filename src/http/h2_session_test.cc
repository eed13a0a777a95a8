#include "http/h2_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "http/body_stream.h"
#include "http/h2_peer.h"

namespace craton::http {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

struct NoBytes : BodyStream {
  boost::asio::awaitable<std::optional<std::string>> next() override { co_return std::nullopt; }
};

H2Limits small_limits() {
  H2Limits limits;
  limits.request = {.header_bytes_max = 2048, .body_bytes_max = 100'000};
  limits.streams_max = 10;
  limits.header_timeout = 1s;
  limits.body_timeout = 2s;
  limits.idle_timeout = 5s;
  limits.write_timeout = 3s;
  return limits;
}

class H2SessionTest : public testing::Test {
 protected:
  /// Carries bytes between the two ends until there are no more.
  void pump() {
    for (bool moved = true; moved;) {
      const std::string up = peer_.output();
      session_.feed(up, now_);
      take_events();
      moved = !up.empty() || pull();
    }
  }

  /// Carries the session's bytes to the peer; false when there are none.
  bool pull() {
    std::string down;
    session_.fill(down, now_);
    take_events();
    wire_ += down;
    peer_.feed(down);
    for (const StreamId id : session_.take_hungry()) hungry_.push_back(id);
    return !down.empty();
  }

  void take_events() {
    while (auto event = session_.next_event()) {
      if (event->kind == H2Event::Kind::gone) gone_.push_back(event->stream);
      if (event->kind == H2Event::Kind::request) requests_[event->stream] = event->request;
      if (event->kind == H2Event::Kind::refused) {
        refusals_[event->stream] = event->refusal.status;
        Response response;
        response.status = event->refusal.status;
        response.body = event->refusal.reason;
        session_.respond(event->stream, response, "today");
      }
    }
  }

  void respond(StreamId id, std::string body) {
    Response response;
    response.headers.add("Content-Type", "text/plain");
    response.body = std::move(body);
    session_.respond(id, response, "today");
    pump();
  }

  bool respond_with_stream(StreamId id) {
    Response response;
    response.stream = std::make_unique<NoBytes>();
    const bool follows = session_.respond(id, response, "today");
    pump();
    return follows;
  }

  /// Sends bytes that no client would send.
  void feed(std::string_view bytes) {
    session_.feed(bytes, now_);
    take_events();
    pull();
  }

  void pass(std::chrono::milliseconds time) {
    now_ += time;
    session_.expire(now_);
    take_events();
    pump();
  }

  StreamId ask(const std::string& path = "/") {
    const StreamId id = peer_.request("GET", path);
    pump();
    return id;
  }

  /// The code of the GOAWAY that the session's bytes end in.
  std::optional<std::uint32_t> last_word() const {
    if (wire_.size() < 17 || wire_[wire_.size() - 14] != NGHTTP2_GOAWAY) return std::nullopt;
    return static_cast<unsigned char>(wire_.back());
  }

  SteadyTime now_ = SteadyTime() + 1h;
  H2Session session_{small_limits(), now_};
  H2Peer peer_;
  std::map<StreamId, Request> requests_;
  std::map<StreamId, int> refusals_;
  std::vector<StreamId> gone_;
  std::vector<StreamId> hungry_;
  std::string wire_;  // all bytes of the session
};

// Requests.

TEST_F(H2SessionTest, MakesARequestOfAStream) {
  const StreamId id = peer_.request("POST", "/model/a%3Ab/invoke?x=1", "body", {{"x-a", "1"}});
  pump();
  const Request& request = requests_.at(id);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/model/a%3Ab/invoke?x=1");
  EXPECT_EQ(request.body, "body");
  EXPECT_EQ(request.headers.find("x-a"), "1");
  EXPECT_EQ(request.headers.find(":authority"), "h") << "it may be signed by that name";
  EXPECT_EQ(request.headers.find("host"), "h") << "or by this one";
  EXPECT_FALSE(request.headers.find(":path"));
}

TEST_F(H2SessionTest, ReadsManyStreams) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(peer_.request("POST", "/", std::to_string(i)));
  pump();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(requests_.at(ids[i]).body, std::to_string(i));
}

TEST_F(H2SessionTest, TakesBodiesLargerThanTheFirstWindow) {
  const StreamId id = peer_.request("POST", "/", std::string(100'000, 'x'));
  pump();
  EXPECT_EQ(requests_.at(id).body.size(), 100'000);
}

TEST_F(H2SessionTest, DropsTrailers) {
  const StreamId id = peer_.begin("POST", "/");
  peer_.data(id, "body", false);
  pump();
  EXPECT_EQ(requests_.count(id), 0);
  feed(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id,
             std::string("\x00\x01t\x01v", 5)));
  EXPECT_EQ(requests_.at(id).body, "body");
  EXPECT_FALSE(requests_.at(id).headers.find("t"));
}

TEST_F(H2SessionTest, SaysContinueToWhomWaitsForIt) {
  const StreamId id = peer_.begin("POST", "/", {{"expect", "100-continue"}});
  pump();
  EXPECT_TRUE(peer_.answer(id).continued);
  peer_.data(id, "body", true);
  pump();
  respond(id, "fine");
  EXPECT_EQ(peer_.answer(id).body, "fine");
}

TEST(H2SessionCut, ReadsTheSameRequestsHoweverTheBytesAreCut) {
  H2Peer peer;
  for (int i = 0; i < 5; ++i) peer.request("POST", "/" + std::to_string(i), std::string(i, 'b'));
  const std::string bytes = peer.output();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    H2Session session(small_limits(), {});
    std::string targets;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      session.feed(std::string_view(bytes).substr(at, piece), {});
      while (auto event = session.next_event()) {
        targets += event->request.target + "=" + event->request.body + " ";
      }
    }
    EXPECT_EQ(targets, "/0= /1=b /2=bb /3=bbb /4=bbbb ") << piece;
  }
}

// Refusals.

TEST_F(H2SessionTest, RefusesABodyThatIsAnnouncedTooLarge) {
  const StreamId id = peer_.begin("POST", "/", {{"content-length", "100001"}});
  pump();
  EXPECT_EQ(refusals_.at(id), 413);
  EXPECT_EQ(peer_.answer(id).status, 413);
  EXPECT_TRUE(peer_.answer(id).closed) << "the body is not waited for";
  EXPECT_EQ(peer_.answer(id).code, NGHTTP2_NO_ERROR) << "so that the answer is read";
}

TEST_F(H2SessionTest, RefusesABodyThatTurnsOutTooLarge) {
  const StreamId id = peer_.request("POST", "/", std::string(100'001, 'x'));
  pump();
  EXPECT_EQ(peer_.answer(id).status, 413);
  EXPECT_EQ(requests_.count(id), 0);
}

struct RefusedCase {
  std::string name;
  int status;
  std::string path = "/";
  H2Peer::Fields fields = {};
};

class H2Refusal : public H2SessionTest, public testing::WithParamInterface<RefusedCase> {};

TEST_P(H2Refusal, IsAnsweredAndTheConnectionGoesOn) {
  const StreamId id = peer_.request("GET", GetParam().path, "", GetParam().fields);
  pump();
  EXPECT_EQ(peer_.answer(id).status, GetParam().status);
  const StreamId next = ask();
  EXPECT_EQ(requests_.count(next), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Table, H2Refusal,
    testing::Values(RefusedCase{"LongField", 431, "/", {{"x", std::string(2100, 'x')}}},
                    RefusedCase{"ManyFields", 431, "/", H2Peer::Fields(70, {"x", "y"})},
                    RefusedCase{"TwoHosts", 400, "/", {{"host", "other"}}}),
    [](const auto& row) { return row.param.name; });

TEST_F(H2SessionTest, RefusesALongPath) {
  H2Limits limits = small_limits();
  limits.request.header_bytes_max = 64 * 1024;
  H2Session session(limits, now_);
  peer_.request("GET", "/" + std::string(17'000, 'p'));
  session.feed(peer_.output(), now_);
  const auto event = session.next_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal.status, 414);
}

TEST_F(H2SessionTest, TakesAHostThatIsNamedTwice) {
  const StreamId id = peer_.request("GET", "/", "", {{"host", "H"}});
  pump();
  EXPECT_EQ(requests_.at(id).headers.find("host"), "H");
}

TEST_F(H2SessionTest, BreaksMalformedRequestsOff) {
  for (const auto& fields : {H2Peer::Fields{{"x", "a\nb"}}, H2Peer::Fields{{"connection", "close"}},
                             H2Peer::Fields{{":unknown", "x"}}}) {
    const StreamId id = peer_.request("GET", "/", "", fields);
    pump();
    EXPECT_TRUE(peer_.answer(id).closed) << fields[0].first;
    EXPECT_EQ(requests_.count(id) + refusals_.count(id), 0) << fields[0].first;
  }
  EXPECT_EQ(requests_.count(ask()), 1);
}

TEST_F(H2SessionTest, HasABoundOnOpenStreams) {
  std::vector<StreamId> ids;
  peer_.output();  // the peer has not read how many there may be
  H2Peer hasty;
  for (int i = 0; i < 12; ++i) ids.push_back(hasty.request("GET", "/"));
  H2Session session(small_limits(), now_);
  session.feed(hasty.output(), now_);
  int requests = 0;
  while (session.next_event()) ++requests;
  EXPECT_EQ(requests, 10);
  std::string down;
  session.fill(down, now_);
  hasty.feed(down);
  EXPECT_EQ(hasty.answer(ids[11]).code, NGHTTP2_REFUSED_STREAM);
}

TEST_F(H2SessionTest, HasABoundOnTheBodiesInMemory) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 9; ++i) ids.push_back(peer_.begin("POST", "/"));
  for (const StreamId id : ids) peer_.data(id, std::string(99'000, 'x'), false);
  pump();
  int refused = 0;
  for (const StreamId id : ids) refused += peer_.answer(id).code == NGHTTP2_REFUSED_STREAM;
  EXPECT_EQ(refused, 1);
  for (const StreamId id : ids) peer_.reset(id);
  pump();
  const StreamId next = peer_.request("POST", "/", std::string(99'000, 'x'));
  pump();
  EXPECT_EQ(requests_.count(next), 1) << "their room is free again";
}

// Answers.

TEST_F(H2SessionTest, AnswersInTheFormOfHttp2) {
  const StreamId id = ask();
  Response response;
  response.status = 201;
  response.headers.add("X-Amzn-RequestId", "a\r\nb");
  response.headers.add("Connection", "close");
  response.headers.add("Transfer-Encoding", "chunked");
  response.body = "hello";
  EXPECT_FALSE(session_.respond(id, response, "today"));
  pump();
  EXPECT_EQ(peer_.answer(id).status, 201);
  EXPECT_EQ(peer_.answer(id).body, "hello");
  EXPECT_TRUE(peer_.answer(id).closed);
  EXPECT_EQ(peer_.answer(id).code, NGHTTP2_NO_ERROR);
  EXPECT_THAT(peer_.answer(id).fields,
              UnorderedElementsAre(Pair("date", "today"), Pair("content-length", "5"),
                                   Pair("x-amzn-requestid", "a  b")));
  EXPECT_THAT(gone_, ElementsAre(id));
}

TEST_F(H2SessionTest, AnswersHeadWithoutABody) {
  const StreamId id = peer_.request("HEAD", "/");
  pump();
  respond(id, "hello");
  EXPECT_EQ(peer_.answer(id).fields.at("content-length"), "5");
  EXPECT_EQ(peer_.answer(id).body, "");
  EXPECT_TRUE(peer_.answer(id).closed);
  const StreamId streamed = peer_.request("HEAD", "/");
  pump();
  EXPECT_FALSE(respond_with_stream(streamed));
  EXPECT_TRUE(peer_.answer(streamed).closed);
}

TEST_F(H2SessionTest, AsksForEachPieceWhenTheOneBeforeIsSent) {
  const StreamId id = ask();
  EXPECT_TRUE(respond_with_stream(id));
  EXPECT_EQ(peer_.answer(id).status, 200) << "before there is a piece";
  EXPECT_THAT(hungry_, ElementsAre(id));
  session_.give(id, "one");
  pump();
  EXPECT_EQ(peer_.answer(id).body, "one");
  EXPECT_THAT(hungry_, ElementsAre(id, id));
  session_.give(id, "two");
  pump();
  session_.finish(id);
  pump();
  EXPECT_EQ(peer_.answer(id).body, "onetwo");
  EXPECT_TRUE(peer_.answer(id).closed);
  EXPECT_EQ(peer_.answer(id).fields.count("content-length"), 0);
}

TEST_F(H2SessionTest, SendsTheLastPieceAndTheEndTogetherWhenItIsGivenBoth) {
  const StreamId id = ask();
  respond_with_stream(id);
  session_.give(id, "one");
  session_.finish(id);
  pump();
  EXPECT_EQ(peer_.answer(id).body, "one");
  EXPECT_TRUE(peer_.answer(id).closed);
}

TEST_F(H2SessionTest, TellsThePeerOfAStreamThatFails) {
  const StreamId id = ask();
  respond_with_stream(id);
  session_.reset(id, H2Reset::internal_error);
  pump();
  EXPECT_EQ(peer_.answer(id).code, NGHTTP2_INTERNAL_ERROR);
  session_.give(id, "too late");
  session_.finish(id);
  pump();
  EXPECT_FALSE(peer_.goaway());
}

class H2SlowReader : public H2SessionTest {
 protected:
  H2SlowReader() : slow_({.window = 65'535, .opens_windows = false}) {}

  void exchange() {
    for (bool moved = true; moved;) {
      const std::string up = slow_.output();
      session_.feed(up, now_);
      take_events();
      std::string down;
      session_.fill(down, now_);
      slow_.feed(down);
      for (const StreamId id : session_.take_hungry()) hungry_.push_back(id);
      moved = !up.empty() || !down.empty();
    }
  }

  H2Peer slow_;
};

TEST_F(H2SlowReader, GetsWhatItsWindowAllows) {
  const StreamId id = slow_.request("GET", "/");
  exchange();
  Response response;
  response.body = std::string(200'000, 'x');
  session_.respond(id, response, "today");
  exchange();
  EXPECT_EQ(slow_.answer(id).body.size(), 65'535);
  slow_.consume(id, 65'535);
  exchange();
  EXPECT_EQ(slow_.answer(id).body.size(), 2 * 65'535);
  for (int i = 0; i < 2; ++i) {
    slow_.consume(id, 65'535);
    exchange();
  }
  EXPECT_EQ(slow_.answer(id).body.size(), 200'000);
  EXPECT_TRUE(slow_.answer(id).closed);
}

TEST_F(H2SlowReader, IsAskedForNoPieceThatItsWindowHasNoRoomFor) {
  const StreamId id = slow_.request("GET", "/");
  exchange();
  Response response;
  response.stream = std::make_unique<NoBytes>();
  session_.respond(id, response, "today");
  exchange();
  session_.give(id, std::string(100'000, 'x'));
  exchange();
  EXPECT_THAT(hungry_, ElementsAre(id)) << "for the head only";
  slow_.consume(id, 65'535);
  exchange();
  EXPECT_THAT(hungry_, ElementsAre(id, id));
}

TEST_F(H2SlowReader, IsGivenUpWhenItKeepsItsWindowShut) {
  const StreamId id = slow_.request("GET", "/");
  exchange();
  Response response;
  response.body = std::string(200'000, 'x');
  session_.respond(id, response, "today");
  exchange();
  for (const auto time : {2s, 2s}) {
    now_ += time;
    session_.expire(now_);
    take_events();
    exchange();
  }
  EXPECT_EQ(slow_.answer(id).code, NGHTTP2_CANCEL);
  EXPECT_THAT(gone_, ElementsAre(id));
  EXPECT_FALSE(slow_.goaway()) << "other streams go on";
}

TEST_F(H2SessionTest, SendsAllStreamsInTurn) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(ask());
  for (const StreamId id : ids) {
    Response response;
    response.body = std::string(50'000, 'x');
    session_.respond(id, response, "today");
  }
  pump();
  const auto& order = peer_.order();
  for (const StreamId id : ids) {
    const auto first = std::find(order.begin(), order.end(), id) - order.begin();
    EXPECT_LT(first, 3) << "each begins before any has more";
  }
}

// Streams and connections that end.

TEST_F(H2SessionTest, TellsOfAStreamThatTheClientResets) {
  const StreamId id = ask();
  EXPECT_THAT(gone_, ElementsAre());
  peer_.reset(id);
  pump();
  EXPECT_THAT(gone_, ElementsAre(id));
  respond(id, "too late");
  EXPECT_EQ(peer_.answer(id).status, 0);
}

TEST_F(H2SessionTest, KeepsQuietAboutAStreamThatItNeverTold) {
  const StreamId id = peer_.begin("POST", "/");
  pump();
  peer_.reset(id);
  pump();
  EXPECT_THAT(gone_, ElementsAre());
}

TEST_F(H2SessionTest, ServesOpenStreamsAfterTheClientsGoodbye) {
  const StreamId id = ask();
  respond_with_stream(id);
  peer_.say_goodbye();
  pump();
  EXPECT_FALSE(session_.done());
  for (int i = 0; i < 100; ++i) {
    session_.give(id, std::string(1000, 'x'));
    pump();
  }
  session_.finish(id);
  pump();
  EXPECT_EQ(peer_.answer(id).body.size(), 100'000);
  EXPECT_TRUE(peer_.answer(id).closed);
  EXPECT_TRUE(session_.done());
}

TEST_F(H2SessionTest, ShutsDownAfterTheStreamsInProgress) {
  const StreamId before = ask();
  session_.shut_down(now_);
  const StreamId on_its_way = peer_.request("GET", "/");
  pump();
  EXPECT_EQ(peer_.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(peer_.goaways(), 2) << "a warning and the last word";
  EXPECT_FALSE(session_.done());
  respond(before, "one");
  respond(on_its_way, "two");
  EXPECT_EQ(peer_.answer(before).body, "one");
  EXPECT_EQ(peer_.answer(on_its_way).body, "two");
  EXPECT_TRUE(session_.done());
}

TEST_F(H2SessionTest, ShutsDownThoughTheClientDoesNotHear) {
  feed(h2_preface);
  session_.shut_down(now_);
  pull();
  EXPECT_FALSE(session_.done());
  now_ += 1s;
  session_.expire(now_);
  pull();
  EXPECT_TRUE(session_.done());
}

// Time-outs.

TEST_F(H2SessionTest, EndsWhenIdleWhateverPingsCome) {
  respond(ask(), "x");
  for (int i = 0; i < 4; ++i) {
    peer_.ping();
    pass(1s);
  }
  EXPECT_FALSE(session_.done());
  pass(1s);
  EXPECT_EQ(peer_.pongs(), 4);
  EXPECT_EQ(peer_.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(session_.done());
}

TEST_F(H2SessionTest, IsNotIdleWhileAnAnswerIsMade) {
  const StreamId id = ask();
  pass(3600s);
  respond(id, "late");
  EXPECT_EQ(peer_.answer(id).body, "late");
}

TEST_F(H2SessionTest, TimesOutABodyThatStops) {
  const StreamId id = peer_.begin("POST", "/");
  peer_.data(id, "hell", false);
  pump();
  pass(1900ms);
  EXPECT_EQ(peer_.answer(id).status, 0);
  pass(200ms);
  EXPECT_EQ(peer_.answer(id).status, 408);
  EXPECT_TRUE(peer_.answer(id).closed);
}

TEST_F(H2SessionTest, TimesOutABodyThatComesInCrumbs) {
  const StreamId id = peer_.begin("POST", "/");
  for (int i = 0; i < 30 && peer_.answer(id).status == 0; ++i) {
    peer_.data(id, "x", false);
    pass(100ms);
  }
  EXPECT_EQ(peer_.answer(id).status, 408);
}

TEST_F(H2SessionTest, TimesOutAHeaderBlock) {
  pump();
  feed(frame(NGHTTP2_HEADERS, 0, 1, "\x82"));
  pass(900ms);
  EXPECT_FALSE(session_.done());
  pass(200ms);
  EXPECT_TRUE(session_.done());
  EXPECT_TRUE(peer_.goaway());
}

// Floods.

struct Flood {
  std::string name;
  std::string bytes;  ///< Sent
  int times;          ///< so often.
  std::uint32_t code = NGHTTP2_ENHANCE_YOUR_CALM;
};

class H2Flood : public H2SessionTest, public testing::WithParamInterface<Flood> {};

TEST_P(H2Flood, EndsTheConnection) {
  const StreamId id = peer_.begin("POST", "/");
  ASSERT_EQ(id, 1);
  pump();
  for (int i = 0; i < GetParam().times && !session_.done(); ++i) feed(GetParam().bytes);
  EXPECT_TRUE(session_.done());
  EXPECT_EQ(last_word(), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Table, H2Flood,
    testing::Values(Flood{"Ping", frame(NGHTTP2_PING, 0, 0, "12345678"), 1100},
                    Flood{"Settings", frame(NGHTTP2_SETTINGS, 0, 0, ""), 1100},
                    Flood{"Priority", frame(NGHTTP2_PRIORITY, 0, 3, std::string(5, '\0')), 1100},
                    Flood{"EmptyData", frame(NGHTTP2_DATA, 0, 1, ""), 1100},
                    Flood{"Resets", frame(NGHTTP2_RST_STREAM, 0, 1, std::string(4, '\0')), 600},
                    Flood{"EmptyContinuations",
                          frame(NGHTTP2_HEADERS, 0, 3, "\x82") +
                              [] {
                                std::string frames;
                                for (int i = 0; i < 100; ++i) {
                                  frames += frame(NGHTTP2_CONTINUATION, 0, 3, "");
                                }
                                return frames;
                              }(),
                          1}),
    [](const auto& row) { return row.param.name; });

TEST_F(H2SessionTest, EndsForAClientThatBeginsAndResetsWithoutEnd) {
  int begun = 0;
  for (; begun < 2000 && !session_.done(); ++begun) {
    const StreamId id = peer_.request("GET", "/");
    pump();
    peer_.reset(id);
    pump();
  }
  EXPECT_EQ(peer_.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LT(begun, 600);
}

TEST_F(H2SessionTest, BearsAClientThatResetsNowAndThen) {
  for (int i = 0; i < 1000; ++i) {
    peer_.reset(ask());
    pump();
    now_ += 50ms;
  }
  EXPECT_FALSE(peer_.goaway());
  EXPECT_EQ(requests_.count(ask()), 1);
}

// Its mistakes make the server reset the streams: no better than resetting them itself.
TEST_F(H2SessionTest, EndsForAClientThatHasItsStreamsResetWithoutEnd) {
  int begun = 0;
  for (; begun < 2000 && !session_.done(); ++begun) {
    const StreamId id = peer_.request("GET", "/");
    pump();
    feed(frame(NGHTTP2_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff"));
  }
  EXPECT_EQ(peer_.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LT(begun, 600);
}

TEST_F(H2SessionTest, EndsForAHeaderThatIsFarTooLarge) {
  peer_.request("GET", "/", "", H2Peer::Fields(10, {"x", std::string(1000, 'x')}));
  pump();
  EXPECT_EQ(peer_.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_TRUE(session_.done());
}

TEST_F(H2SessionTest, EndsForBytesThatAreNoFrames) {
  for (const std::string& bytes :
       {std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\nxxxxxxxxx"),
        h2_preface + frame(NGHTTP2_DATA, 0, 1, "no such stream"),
        h2_preface + frame(NGHTTP2_HEADERS, 4, 1, "\xff\xff\xff\xff\xff\xff"),
        h2_preface + frame(NGHTTP2_HEADERS, 4, 2, "\x82"), h2_preface + std::string(20, '\xff')}) {
    H2Session session(small_limits(), now_);
    session.feed(bytes, now_);
    std::string down;
    session.fill(down, now_);
    EXPECT_TRUE(session.done()) << bytes;
    EXPECT_NE(down.find(std::string("\x07\x00\x00\x00\x00\x00", 6)), down.npos) << "GOAWAY";
  }
}

}  // namespace
}  // namespace craton::http
