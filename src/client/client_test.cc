#include "craton/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "client/test_service.h"
#include "craton/asio.h"
#include "event_stream/bedrock_events.h"

namespace craton {
namespace {

using client::answering;
using client::Reaction;
using client::TestService;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = CallError::Kind;

constexpr const char* haiku = "anthropic.claude-3-haiku-20240307-v1:0";

// As AWS answers.
constexpr const char* converse_reply =
    R"({"metrics":{"latencyMs":738},"output":{"message":{"content":[{"text":"서울입니다."}],)"
    R"("role":"assistant"}},"stopReason":"end_turn",)"
    R"("usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14}})";

Conversation question() {
  Conversation conversation;
  append_turn(conversation, Role::user, "대한민국의 수도는?");
  return conversation;
}

ClientOptions options_for(const TestService& service) {
  ClientOptions options;
  options.region = "us-east-1";
  options.endpoint_url = service.url();
  options.credentials = ClientCredentials{"AKTEST", "secret"};
  options.read_timeout = std::chrono::seconds(20);
  return options;
}

Client client_of(const ClientOptions& options) { return unwrap(Client::make(options)); }
Client client_of(const TestService& service) { return client_of(options_for(service)); }

Reaction throttled(const std::string& headers = "") {
  return answering(429, R"({"message":"Too many requests, please wait before trying again."})",
                   "x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/\r\n"
                   "x-amzn-RequestId: 11-22\r\n" +
                       headers);
}

std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
         "x-amzn-RequestId: 33-44\r\nConnection: close\r\n\r\n";
}

std::string some_events() {
  std::string bytes;
  EXPECT_TRUE(event_stream::append_event("messageStart", R"({"role":"assistant"})", bytes));
  EXPECT_TRUE(event_stream::append_event(
      "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"서울"}})", bytes));
  return bytes;
}

std::string all_events() {
  std::string bytes = some_events();
  EXPECT_TRUE(event_stream::append_event("messageStop", R"({"stopReason":"end_turn"})", bytes));
  EXPECT_TRUE(event_stream::append_event(
      "metadata", R"({"usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14}})", bytes));
  return bytes;
}

TEST(Client, Converses) {
  TestService service([](int, const std::string&) { return answering(200, converse_reply); });
  const Client client = client_of(service);
  const auto answer = client.converse(haiku, question()).get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text(), "서울입니다.");
  EXPECT_EQ(answer->usage.output_tokens, 5);
  const std::string request = service.requests().at(0);
  EXPECT_THAT(request, HasSubstr("POST /model/anthropic.claude-3-haiku-20240307-v1%3A0/converse "));
  EXPECT_THAT(request, HasSubstr("Authorization: AWS4-HMAC-SHA256 Credential=AKTEST/"));
  EXPECT_THAT(request, HasSubstr("amz-sdk-request: attempt=1; max=3"));
  EXPECT_THAT(request, HasSubstr(R"("text":"대한민국의 수도는?")"));
}

TEST(Client, ListsModels) {
  TestService service([](int, const std::string&) {
    return answering(200,
                     R"({"modelSummaries":[{"modelArn":"arn","modelId":"amazon.titan-text",)"
                     R"("modelName":"Titan","providerName":"Amazon","inputModalities":["TEXT"],)"
                     R"("outputModalities":["TEXT"],"responseStreamingSupported":true,)"
                     R"("inferenceTypesSupported":["ON_DEMAND"],)"
                     R"("modelLifecycle":{"status":"ACTIVE"}}]})");
  });
  const auto models = client_of(service).list_foundation_models({.provider = "Amazon"}).get();
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1U);
  EXPECT_EQ(models->front().id, "amazon.titan-text");
  EXPECT_TRUE(models->front().streaming);
  EXPECT_EQ(models->front().status, "ACTIVE");
  EXPECT_THAT(service.requests().at(0), HasSubstr("GET /foundation-models?byProvider=Amazon "));
}

TEST(Client, GivesErrorsTheirTypes) {
  TestService service([](int, const std::string&) {
    return answering(400, R"({"message":"The provided model identifier is invalid."})",
                     "x-amzn-ErrorType: ValidationException\r\nx-amzn-RequestId: 55\r\n");
  });
  const auto answer = client_of(service).converse(haiku, question()).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::service);
  EXPECT_EQ(answer.error().type, "ValidationException");
  EXPECT_EQ(answer.error().message, "The provided model identifier is invalid.");
  EXPECT_EQ(answer.error().status, 400);
  EXPECT_EQ(answer.error().request_id, "55");
  EXPECT_EQ(answer.error().attempts, 1);
  EXPECT_FALSE(answer.error().retryable);
  EXPECT_THROW(unwrap(answer), CallFailure);
}

TEST(Client, TriesAgainWhereThatHelps) {
  TestService service([](int number, const std::string&) {
    if (number == 0) return throttled("x-amz-retry-after: 1\r\n");
    return number == 1 ? Reaction{.reset = true} : answering(200, converse_reply);
  });
  const auto answer = client_of(service).converse(haiku, question()).get();
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(service.requests().size(), 3U);
  EXPECT_THAT(service.requests()[2], HasSubstr("amz-sdk-request: attempt=3; max=3"));
}

TEST(Client, GivesUpAfterSoManyAttempts) {
  TestService service(
      [](int, const std::string&) { return throttled("x-amz-retry-after: 7\r\n"); });
  ClientOptions options = options_for(service);
  options.max_attempts = 2;
  const auto answer = client_of(options).converse(haiku, question()).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().type, "ThrottlingException");
  EXPECT_EQ(answer.error().attempts, 2);
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_EQ(answer.error().retry_after, std::chrono::milliseconds(7));
  EXPECT_EQ(service.requests().size(), 2U);
}

TEST(Client, NeverPaysTwiceForAnAnswerThatIsLate) {
  TestService service([](int, const std::string&) { return Reaction{.stall = true}; });
  ClientOptions options = options_for(service);
  options.read_timeout = std::chrono::milliseconds(50);
  const auto late = client_of(options).converse(haiku, question()).get();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Kind::time_out);
  EXPECT_EQ(service.requests().size(), 1U);
  options.retry_generations_after_time_out = true;
  EXPECT_EQ(client_of(options).converse(haiku, question()).get().error().attempts, 3);
  // What is not paid for is asked for again.
  EXPECT_EQ(client_of(options_for(service)).region(), "us-east-1");
  options.retry_generations_after_time_out = false;
  EXPECT_EQ(client_of(options).list_foundation_models().get().error().attempts, 3);
}

TEST(Client, DoesNotAskAgainForAnAnswerThatHasBegun) {
  TestService service([](int, const std::string&) {
    return Reaction{"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"output\":"};
  });
  const auto answer = client_of(service).converse(haiku, question()).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::connection);
  EXPECT_EQ(answer.error().attempts, 1);
}

TEST(Client, TellsWhatIsNoAnswer) {
  for (const char* body : {"<html>busy</html>", "{}", R"({"output":{"message":[]}})", "[", ""}) {
    TestService service([&](int, const std::string&) { return answering(200, body); });
    const auto answer = client_of(service).converse(haiku, question()).get();
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, Kind::protocol) << body;
  }
  TestService proxy([](int, const std::string&) { return answering(404, "<html>no</html>"); });
  const auto answer = client_of(proxy).converse(haiku, question()).get();
  EXPECT_EQ(answer.error().status, 404);
  EXPECT_EQ(answer.error().message, "the service answered with status 404");
}

TEST(Client, StreamsEvents) {
  TestService service(
      [](int, const std::string&) { return Reaction{stream_head() + all_events()}; });
  const Client client = client_of(service);
  auto stream = client.converse_stream(haiku, question()).get();
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->request_id(), "33-44");
  AnswerBuilder folded;
  for (const Event& event : *stream) folded.add(event);
  EXPECT_FALSE(stream->error());
  ASSERT_TRUE(folded.complete());
  EXPECT_EQ(folded.take()->text(), "서울");
}

TEST(Client, StreamsChunksOfTheProviders) {
  std::string bytes;
  ASSERT_TRUE(event_stream::append_chunk(R"({"completion":"Hi"})", "abc", bytes));
  TestService service([&](int, const std::string&) { return Reaction{stream_head() + bytes}; });
  const Client client = client_of(service);
  auto stream = client.invoke_model_stream(haiku, "{}").get();
  ASSERT_TRUE(stream);
  std::vector<std::string> chunks;
  for (const StreamMessage& message : *stream) chunks.push_back(message.type + message.payload);
  EXPECT_THAT(chunks, ElementsAre(R"(chunk{"completion":"Hi"})"));
}

TEST(Client, AStreamThatFailsTellsHow) {
  struct Row {
    std::string bytes;
    Kind kind;
    std::string type;
  };
  std::string thrown = some_events();
  ASSERT_TRUE(
      event_stream::append_exception("throttlingException", R"({"message":"Slow down."})", thrown));
  std::string broken = some_events();
  broken[broken.size() - 1] ^= 1;
  const std::string whole = some_events();
  const Row rows[] = {
      {thrown, Kind::service, "ThrottlingException"},
      {broken, Kind::protocol, ""},
      {whole.substr(0, whole.size() - 3), Kind::protocol, ""},
  };
  for (const Row& row : rows) {
    TestService service(
        [&](int, const std::string&) { return Reaction{stream_head() + row.bytes}; });
    const Client client = client_of(service);
    auto stream = client.converse_stream(haiku, question()).get();
    ASSERT_TRUE(stream);
    for (const Event& event : *stream) static_cast<void>(event);
    ASSERT_TRUE(stream->error());
    EXPECT_EQ(stream->error()->kind, row.kind) << stream->error()->message;
    EXPECT_EQ(stream->error()->type, row.type);
    EXPECT_EQ(stream->error()->request_id, "33-44");
    EXPECT_EQ(service.requests().size(), 1U) << "a stream that has begun is not asked for again";
  }
}

TEST(Client, AStreamIsRetriedBeforeItBegins) {
  TestService service([](int number, const std::string&) {
    return number == 0 ? throttled("x-amz-retry-after: 1\r\n")
                       : Reaction{stream_head() + all_events()};
  });
  const Client client = client_of(service);
  EXPECT_TRUE(client.converse_stream(haiku, question()).get());
  EXPECT_EQ(service.requests().size(), 2U);
}

TEST(Client, AReaderThatIsSlowHoldsTheSenderUp) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(event_stream::append_event(
        "contentBlockDelta",
        R"({"contentBlockIndex":0,"delta":{"text":")" + std::string(1000, 'x') + R"("}})", bytes));
  }
  TestService service([&](int, const std::string&) { return Reaction{stream_head() + bytes}; });
  const Client client = client_of(service);
  auto stream = client.call_stream("ConverseStream", R"({"modelId":"m"})").get();
  ASSERT_TRUE(stream);
  int count = 0;
  for (const StreamMessage& message : *stream) {
    if (++count % 1000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_EQ(message.type, "contentBlockDelta");
  }
  EXPECT_EQ(count, 5000);
  EXPECT_FALSE(stream->error());
}

TEST(Client, CallsAnyOperationByName) {
  TestService service([](int, const std::string&) { return answering(200, R"({"ok":true})"); });
  const Client client = client_of(service);
  const auto reply = client.call("GetGuardrail", R"({"guardrailIdentifier":"g1"})").get();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, R"({"ok":true})");
  EXPECT_EQ(reply->header("content-LENGTH"), "11");
  EXPECT_THAT(client.call("InvokeModels", "{}").get().error().message, HasSubstr("InvokeModel"));
  EXPECT_EQ(client.call("Converse", "[]").get().error().kind, Kind::configuration);
}

TEST(Client, SendsABearerToken) {
  TestService service([](int, const std::string&) { return answering(200, converse_reply); });
  ClientOptions options = options_for(service);
  options.credentials.reset();
  options.bearer_token = "ABSKkey";
  ASSERT_TRUE(client_of(options).converse(haiku, question()).get());
  EXPECT_THAT(service.requests().at(0), HasSubstr("Authorization: Bearer ABSKkey\r\n"));
}

TEST(Client, CorrectsItsClock) {
  TestService service([](int number, const std::string&) {
    return number > 0
               ? answering(200, converse_reply)
               : answering(403, R"({"message":"Signature expired: 20200101T000000Z is now "})",
                           "x-amzn-ErrorType: InvalidSignatureException\r\n"
                           "Date: Wed, 01 Jan 2031 12:00:00 GMT\r\n");
  });
  const Client client = client_of(service);
  ASSERT_TRUE(client.converse(haiku, question()).get());
  EXPECT_THAT(service.requests().at(1), HasSubstr("X-Amz-Date: 20310101T1"));
}

TEST(Client, CanBeCancelled) {
  TestService service([](int, const std::string&) { return Reaction{.stall = true}; });
  const Client client = client_of(service);
  auto promise = std::make_shared<std::promise<Outcome<Answer>>>();
  const Cancel cancel = client.converse(haiku, question()).then([promise](Outcome<Answer> outcome) {
    promise->set_value(std::move(outcome));
  });
  cancel();
  cancel();
  EXPECT_EQ(promise->get_future().get().error().kind, Kind::cancelled);
}

TEST(Client, LettingGoOfAStreamEndsIt) {
  TestService service([](int, const std::string&) {
    return Reaction{.bytes = stream_head() + some_events(), .stall = true};
  });
  const Client client = client_of(service);
  auto stream = client.converse_stream(haiku, question()).get();
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stream->next().get());
  {
    const auto gone = std::move(*stream);
  }
}

TEST(Client, EndsWhatIsInProgressWhenItGoes) {
  TestService service([](int, const std::string&) { return Reaction{.stall = true}; });
  auto promise = std::make_shared<std::promise<Outcome<Answer>>>();
  {
    const Client client = client_of(service);
    static_cast<void>(client.converse(haiku, question()).then([promise](Outcome<Answer> outcome) {
      promise->set_value(std::move(outcome));
    }));
  }
  EXPECT_EQ(promise->get_future().get().error().kind, Kind::cancelled);
}

TEST(Client, NobodyThere) {
  ClientOptions options;
  options.region = "us-east-1";
  options.endpoint_url = "http://127.0.0.1:1";
  options.credentials = ClientCredentials{"a", "b"};
  const auto answer = client_of(options).converse(haiku, question()).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::connection);
  EXPECT_EQ(answer.error().attempts, 3);
}

boost::asio::awaitable<void> converse_later(const Client& client, std::string& text) {
  const Conversation conversation = question();  // see asio.h
  Outcome<Answer> answer = co_await wait(client.converse(haiku, conversation));
  text = answer ? answer->text() : answer.error().message;
}

TEST(Client, IsAwaitedInCoroutines) {
  TestService service([](int, const std::string&) { return answering(200, converse_reply); });
  boost::asio::io_context context;  // outlives the client, which posts to it
  const Client client = client_of(service);
  std::vector<std::string> texts(20);
  for (std::string& text : texts) {
    boost::asio::co_spawn(context, converse_later(client, text), boost::asio::detached);
  }
  context.run();
  EXPECT_THAT(texts, testing::Each("서울입니다."));
}

}  // namespace
}  // namespace craton
