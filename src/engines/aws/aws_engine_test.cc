#include "engines/aws/aws_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "client/test_service.h"
#include "event_stream/bedrock_events.h"

namespace craton::engines::aws {
namespace {

using client::answering;
using client::Reaction;
using client::TestService;
using testing::HasSubstr;
using testing::Not;

constexpr const char* haiku = "anthropic.claude-3-haiku-20240307-v1:0";

std::shared_ptr<const Client> client_of(const TestService& service) {
  ClientOptions options;
  options.region = "us-east-1";
  options.endpoint_url = service.url();
  options.credentials = ClientCredentials{"AKTEST", "secret"};
  options.max_attempts = 1;
  return std::make_shared<const Client>(unwrap(Client::make(options)));
}

Conversation question() {
  Conversation conversation;
  append_turn(conversation, Role::user, "Hello");
  return conversation;
}

std::string streamed(int deltas, bool whole = true) {
  std::string bytes =
      "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
      "Connection: close\r\n\r\n";
  (void)event_stream::append_event("messageStart", R"({"role":"assistant"})", bytes);
  for (int i = 0; i < deltas; ++i) {
    (void)event_stream::append_event("contentBlockDelta",
                                     R"({"contentBlockIndex":0,"delta":{"text":"word "}})", bytes);
  }
  if (!whole) return bytes;
  (void)event_stream::append_event("messageStop", R"({"stopReason":"end_turn"})", bytes);
  (void)event_stream::append_event("metadata", R"({"usage":{"inputTokens":1,"outputTokens":2}})",
                                   bytes);
  return bytes;
}

Event next_of(Generation& generation) {
  while (true) {
    if (std::optional<Event> event = generation.try_next()) return std::move(*event);
    auto news = std::make_shared<std::promise<void>>();
    generation.notify([news] { news->set_value(); });
    news->get_future().wait();
  }
}

tl::expected<Answer, Failure> whole(Generation& generation) {
  AnswerBuilder builder;
  while (!builder.complete()) builder.add(next_of(generation));
  return builder.take();
}

tl::expected<Answer, Failure> asked(const Reaction& reaction) {
  TestService service([&](int, const std::string&) { return reaction; });
  const auto engine = make_aws_engine(client_of(service), haiku);
  const auto generation = engine->generate(question(), {});
  if (!generation) return tl::unexpected(Failure{generation.error(), std::nullopt});
  return whole(**generation);
}

TEST(AwsEngine, GivesWhatAwsStreams) {
  const auto answer = asked({streamed(3)});
  ASSERT_TRUE(answer) << answer.error().error.message;
  EXPECT_EQ(answer->text(), "word word word ");
  EXPECT_EQ(answer->usage.output_tokens, 2);
}

TEST(AwsEngine, GivesAwssErrors) {
  struct Row {
    Reaction reaction;
    ErrorCode code;
  };
  const Row rows[] = {
      {answering(429, R"({"message":"Slow down."})", "x-amzn-ErrorType: ThrottlingException\r\n"),
       ErrorCode::throttling},
      {answering(403, R"({"message":"No."})", "x-amzn-ErrorType: AccessDeniedException\r\n"),
       ErrorCode::access_denied},
      {answering(500, "<html>"), ErrorCode::model_error},
      {{.reset = true}, ErrorCode::service_unavailable},
      {{streamed(2, false)}, ErrorCode::model_error},
  };
  for (const Row& row : rows) {
    const auto answer = asked(row.reaction);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().error.code, row.code) << answer.error().error.message;
  }
}

TEST(AwsEngine, WaitsForASlowReader) {
  TestService service([](int, const std::string&) { return Reaction{streamed(5000)}; });
  const auto engine = make_aws_engine(client_of(service), haiku);
  const auto generation = engine->generate(question(), {});
  ASSERT_TRUE(generation);
  AnswerBuilder builder;
  for (int events = 0; !builder.complete(); ++events) {
    if (events % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    builder.add(next_of(**generation));
  }
  const auto answer = builder.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text().size(), 5000 * 5U);
}

TEST(AwsEngine, CanBeGivenUp) {
  TestService service(
      [](int, const std::string&) { return Reaction{.bytes = streamed(3, false), .stall = true}; });
  const auto engine = make_aws_engine(client_of(service), haiku);
  const auto generation = engine->generate(question(), {});
  ASSERT_TRUE(generation);
  (void)next_of(**generation);
  (*generation)->cancel();
}

TEST(AwsEngine, TellsProvidersByTheirNames) {
  std::string request;
  TestService service([&](int, const std::string& text) {
    request = text;
    return Reaction{streamed(1)};
  });
  const auto client = client_of(service);
  Conversation conversation = question();
  conversation.sampling.top_k = 5;
  conversation.sampling.seed = 7;
  conversation.caching = true;  // as of an API that caches unasked
  (void)whole(**make_aws_engine(client, haiku)->generate(conversation, {}));
  EXPECT_THAT(request, HasSubstr(R"("additionalModelRequestFields":{"top_k":5})"));
  EXPECT_THAT(request, Not(HasSubstr("cachePoint")));
  const auto begun =
      make_aws_engine(client, "meta.llama3-8b-instruct-v1:0")->generate(conversation, {});
  ASSERT_TRUE(begun);
  const auto refused = whole(**begun);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::validation);
  EXPECT_THAT(refused.error().error.message, HasSubstr("top_k"));
}

TEST(AwsEngine, CountsWhereAwsDoes) {
  TestService service(
      [](int, const std::string&) { return answering(200, R"({"inputTokens":12})"); });
  const auto engine = make_aws_engine(client_of(service), haiku);
  const auto counting = engine->begin_count(question(), {});
  ASSERT_TRUE(counting);
  auto news = std::make_shared<std::promise<void>>();
  (*counting)->notify([news] { news->set_value(); });
  news->get_future().wait();
  const auto outcome = (*counting)->take();
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ((*outcome)->tokens, 12);
}

tl::expected<NativeReply, Failure> replied(Engine& engine, const NativeCall& native) {
  const auto replying = engine.reply(native, {});
  if (!replying) return tl::unexpected(Failure{replying.error(), std::nullopt});
  auto news = std::make_shared<std::promise<void>>();
  (*replying)->notify([news] { news->set_value(); });
  news->get_future().wait();
  return *(*replying)->take();
}

TEST(AwsEngine, HandsNativeCallsOn) {
  std::string request;
  TestService service([&](int, const std::string& text) {
    request = text;
    return answering(200, R"({"embedding":[1.0]})",
                     "Content-Type: application/json\r\n"
                     "X-Amzn-Bedrock-Input-Token-Count: 7\r\nSeed: 5\r\nX-Other: no\r\n");
  });
  const auto engine = make_aws_engine(client_of(service), "amazon.titan-embed-text-v2:0");
  EXPECT_TRUE(engine->capabilities().native);
  const auto reply = replied(*engine, {R"({"inputText":"hi"})", "image/png"});
  ASSERT_TRUE(reply) << reply.error().error.message;
  EXPECT_EQ(reply->body, R"({"embedding":[1.0]})");
  EXPECT_EQ(reply->content_type, "application/json");
  EXPECT_EQ(reply->input_tokens, 7);
  EXPECT_EQ(reply->headers.size(), 1u);
  EXPECT_THAT(request, HasSubstr("POST /model/amazon.titan-embed-text-v2%3A0/invoke "));
  EXPECT_THAT(request, HasSubstr("image/png"));
  EXPECT_THAT(request, testing::EndsWith(R"({"inputText":"hi"})"));
}

TEST(AwsEngine, GivesAwssRefusalsOfNativeCalls) {
  TestService service([](int, const std::string&) {
    return answering(400, R"({"message":"No."})", "x-amzn-ErrorType: ValidationException\r\n");
  });
  const auto engine = make_aws_engine(client_of(service), "amazon.titan-embed-text-v2:0");
  const auto reply = replied(*engine, {"{}", ""});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.code, ErrorCode::validation);
  EXPECT_EQ(reply.error().error.message, "No.");
}

}  // namespace
}  // namespace craton::engines::aws
