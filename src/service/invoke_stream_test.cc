// InvokeModelWithResponseStream over a scripted engine: frames, metrics and failures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/base64.h"
#include "base/json.h"
#include "event_stream/message.h"
#include "service/errors.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

constexpr std::string_view target =
    "/model/meta.llama3-8b-instruct-v1%3A0/invoke-with-response-stream";
constexpr std::string_view body = R"({"prompt":"Hi"})";

std::vector<event_stream::Message> messages_of(std::string_view bytes) {
  event_stream::Decoder decoder;
  decoder.feed(bytes);
  std::vector<event_stream::Message> messages;
  while (true) {
    auto message = decoder.next();
    EXPECT_TRUE(message);
    if (!message || !*message) return messages;
    messages.push_back(std::move(**message));
  }
}

json::value piece_of(const event_stream::Message& message) {
  const json::value payload = *json::parse(message.payload);
  return *json::parse(*base64_bytes(payload.at("bytes").as_string()));
}

class InvokeStreamTest : public ServiceTest {
 protected:
  std::vector<event_stream::Message> streamed() {
    return messages_of(stream(std::string(target), std::string(body)));
  }
};

TEST_F(InvokeStreamTest, EachPieceIsAChunkAndTheLastHasTheMetrics) {
  bind(saying("Hello."));
  const auto messages = streamed();
  ASSERT_GE(messages.size(), 2u);
  for (const auto& message : messages) {
    ASSERT_EQ(message.headers.size(), 3u);
    EXPECT_EQ(message.headers[0], (event_stream::Header{":event-type", "chunk"}));
    EXPECT_EQ(message.headers[1], (event_stream::Header{":content-type", "application/json"}));
    EXPECT_EQ(message.headers[2], (event_stream::Header{":message-type", "event"}));
    const json::value payload = *json::parse(message.payload);
    EXPECT_GE(payload.at("p").as_string().size(), 2u);
    const bool last = &message == &messages.back();
    const json::value piece = piece_of(message);
    EXPECT_EQ(piece.as_object().contains("amazon-bedrock-invocationMetrics"), last);
    if (last) {
      const json::value& metrics = piece.at("amazon-bedrock-invocationMetrics");
      EXPECT_EQ(metrics.at("inputTokenCount"), 12);
      EXPECT_EQ(metrics.at("outputTokenCount"), 3);
      EXPECT_LE(metrics.at("firstByteLatency").as_int64(),
                metrics.at("invocationLatency").as_int64());
    }
  }
}

struct Broken {
  ErrorCode code;
  std::string_view exception;
};

class BrokenStream : public InvokeStreamTest, public testing::WithParamInterface<Broken> {};

TEST_P(BrokenStream, EndsWithTheExceptionThatClientsKnow) {
  bind({MessageStart{}, TextDelta{"Hel", 1, {}},
        Failure{{GetParam().code, "It \"broke\"."}, std::nullopt}});
  const auto messages = streamed();
  ASSERT_FALSE(messages.empty());
  const auto& last = messages.back();
  EXPECT_EQ(last.headers[0],
            (event_stream::Header{":exception-type", std::string(GetParam().exception)}));
  EXPECT_EQ(last.headers[2], (event_stream::Header{":message-type", "exception"}));
  EXPECT_EQ(json::parse(last.payload)->at("message"), "It \"broke\".");
}

const Broken broken[] = {
    {ErrorCode::internal_server, "internalServerException"},
    {ErrorCode::model_error, "modelStreamErrorException"},
    {ErrorCode::model_timeout, "modelTimeoutException"},
    {ErrorCode::service_unavailable, "serviceUnavailableException"},
    {ErrorCode::throttling, "throttlingException"},
    {ErrorCode::validation, "validationException"},
    {ErrorCode::conflict, "internalServerException"},
};
INSTANTIATE_TEST_SUITE_P(Errors, BrokenStream, testing::ValuesIn(broken), [](const auto& row) {
  return std::string(shape_of(row.param.code).name);
});

TEST_F(InvokeStreamTest, AFailureBeforeTheFirstEventIsAnOrdinaryRefusal) {
  bind({Failure{{ErrorCode::validation, "Input is too long for requested model."},
                InputTooLong{5000, 4096}}});
  const http::Response response = send("POST", std::string(target), std::string(body));
  EXPECT_EQ(response.status, 400);
  EXPECT_FALSE(response.stream);
  EXPECT_EQ(json::parse(response.body)->at("message"),
            "This model's maximum context length is 4096 tokens. Please reduce the length of the "
            "prompt");
}

TEST_F(InvokeStreamTest, AModelThatIsNotStreamedIsRefused) {
  bind(saying("Hello."));
  const http::Response response =
      send("POST", "/model/ai21.j2-mid-v1/invoke-with-response-stream", R"({"prompt":"Hi"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(json::parse(response.body)->at("message"), "The model is unsupported for streaming.");
}

TEST_F(InvokeStreamTest, AnImageIsRefusedWhereTheModelIsBlind) {
  bind(saying("Hello."));
  const http::Response response = invoke(
      "anthropic.claude-3-haiku-20240307-v1%3A0",
      R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":)"
      R"([{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]})");
  EXPECT_EQ(response.status, 400);
}

}  // namespace
}  // namespace craton::service
