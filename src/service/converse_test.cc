// Converse, ConverseStream and CountTokens through the service, with a scripted engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/errors.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";

std::string question(std::string_view rest = "") {
  return R"({"messages":[{"role":"user","content":[{"text":"What time is it?"}]}])" +
         std::string(rest) + "}";
}

constexpr std::string_view clock_tool =
    R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"clock","inputSchema":{"json":{"type":"object"}}}}]})";

std::vector<Event> calling() {
  return {MessageStart{},
          TextDelta{"I look."},
          ToolUseStart{"clock"},
          ToolInputDelta{R"({"city":)"},
          ToolInputDelta{R"("Seoul"})"},
          ToolUseStop{},
          MessageStop{StopReason::tool_use, {}},
          Usage{.input_tokens = 12, .output_tokens = 9}};
}

class ConverseTest : public ServiceTest {
 protected:
  http::Response converse(std::string_view model, std::string body) {
    return send("POST", "/model/" + std::string(model) + "/converse", std::move(body));
  }
  http::Response stream_of(std::string_view model, std::string body) {
    return send("POST", "/model/" + std::string(model) + "/converse-stream", std::move(body));
  }
  http::Response count(std::string_view model, std::string body) {
    return send("POST", "/model/" + std::string(model) + "/count-tokens", std::move(body));
  }
};

TEST_F(ConverseTest, AnswersInItsOwnForm) {
  bind(saying("Noon."));
  const http::Response response = converse(haiku, question());
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = json::parse(response.body)->as_object();
  EXPECT_EQ(body.at("output").at("message").at("content").at(0).at("text"), "Noon.");
  EXPECT_EQ(body.at("stopReason"), "end_turn");
  EXPECT_EQ(body.at("usage").at("totalTokens"), 15);
  EXPECT_EQ(response.headers.find("content-type"), "application/json");
  EXPECT_EQ(response.headers.find("x-craton-engine"), "scripted");
  EXPECT_EQ(response.headers.find("x-amzn-bedrock-input-token-count"), std::nullopt);
}

TEST_F(ConverseTest, CallsTools) {
  bind(calling());
  const http::Response response = converse(haiku, question(clock_tool));
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = json::parse(response.body)->as_object();
  const auto& use = body.at("output").at("message").at("content").at(1).at("toolUse");
  EXPECT_EQ(use.at("name"), "clock");
  EXPECT_EQ(use.at("input").at("city"), "Seoul");
  EXPECT_EQ(body.at("stopReason"), "tool_use");
  EXPECT_EQ(engine->asked.tools.offered.at(0).name, "clock");
}

TEST_F(ConverseTest, StreamsCallsOfTools) {
  bind(calling());
  http::Response response = stream_of(haiku, question(clock_tool));
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.find("content-type"), "application/vnd.amazon.eventstream");
  const std::string bytes = body_of(response);
  EXPECT_THAT(bytes, HasSubstr("messageStart"));
  EXPECT_THAT(bytes, HasSubstr(R"("start":{"toolUse":{"name":"clock","toolUseId":"tooluse_)"));
  EXPECT_THAT(bytes, HasSubstr(R"("stopReason":"tool_use")"));
  EXPECT_THAT(bytes, HasSubstr(R"("usage":{"inputTokens":12,"outputTokens":9,"totalTokens":21})"));
}

TEST_F(ConverseTest, AFailureInTheMiddleOfAStreamIsAnExceptionThatItDeclares) {
  bind({MessageStart{}, TextDelta{"No"}, Failure{{ErrorCode::model_timeout, "Too slow."}, {}}});
  http::Response response = stream_of(haiku, question());
  const std::string bytes = body_of(response);
  EXPECT_THAT(bytes, HasSubstr("modelStreamErrorException"));
  EXPECT_THAT(bytes, HasSubstr(R"({"message":"Too slow."})"));
  EXPECT_THAT(bytes, Not(HasSubstr("messageStop")));
}

TEST_F(ConverseTest, AFailureBeforeTheFirstEventIsAnHttpError) {
  bind({Failure{{ErrorCode::validation, "too long"}, InputTooLong{9000, 8192}}});
  const http::Response response = stream_of(haiku, question());
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"message":"Input is too long for requested model."})");
}

TEST_F(ConverseTest, AModelThatIsNotTalkedToIsRefused) {
  bind(saying("x"));
  for (const std::string_view model : {"amazon.titan-embed-text-v1", "cohere.embed-english-v3"}) {
    const http::Response response = converse(model, question());
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body,
              "{\"message\":\"This action doesn't support the model that you provided. Try again "
              "with a supported text or chat model.\"}");
  }
}

TEST_F(ConverseTest, AModelThatDoesNotStreamConverses) {
  bind(saying("x"));
  EXPECT_EQ(converse("ai21.j2-ultra-v1", question()).status, 200);
  EXPECT_EQ(stream_of("ai21.j2-ultra-v1", question()).body,
            R"({"message":"The model is unsupported for streaming."})");
}

TEST_F(ConverseTest, WhatIsNotThereYetIsRefusedNotIgnored) {
  bind(saying("x"));
  for (const std::string_view rest :
       {R"(,"guardrailConfig":{"guardrailIdentifier":"abc","guardrailVersion":"1"})",
        R"(,"performanceConfig":{"latency":"optimized"})"}) {
    const http::Response response = converse(haiku, question(rest));
    EXPECT_EQ(response.status, 501) << rest;
    EXPECT_THAT(response.body, HasSubstr("in Converse is not implemented"));
  }
}

TEST_F(ConverseTest, FieldsThatTheProviderDoesNotKnowAreTheModelsRefusal) {
  bind(saying("x"));
  const http::Response response =
      converse(haiku, question(R"(,"additionalModelRequestFields":{"cachePointPlacement":"a"})"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            "{\"message\":\"The model returned the following errors: Malformed input request: #: "
            "extraneous key [cachePointPlacement] is not permitted, please reformat your input and "
            "try again.\"}");
}

TEST_F(ConverseTest, AnswersWithFieldsOfTheProvidersOwnReply) {
  bind({MessageStart{}, TextDelta{"1 2"}, MessageStop{StopReason::stop_sequence, "3"},
        Usage{.input_tokens = 5, .output_tokens = 3}});
  const http::Response response =
      converse(haiku, question(R"(,"additionalModelResponseFieldPaths":["/delta/stop_sequence"])"));
  EXPECT_THAT(response.body,
              HasSubstr(R"("additionalModelResponseFields":{"delta":{"stop_sequence":"3"}})"));
}

TEST_F(ConverseTest, APromptOfAnAccountIsNotFound) {
  bind(saying("x"));
  const http::Response response =
      converse("arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aprompt%2FABCDEFGHIJ", "{}");
  EXPECT_EQ(response.status, 404) << response.body;
}

TEST_F(ConverseTest, AModelWithoutEyesRefusesImages) {
  bind(saying("A cat."));
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="}}}]}]})";
  EXPECT_THAT(converse(haiku, body).body, HasSubstr("doesn't support the image field"));
}

constexpr std::string_view with_document =
    R"({"messages":[{"role":"user","content":[{"text":"Sum up."},{"document":{"format":"md","name":"Notes","context":"Of Monday","source":{"bytes":"IyBUaXRsZQ=="}}}]}]})";

TEST_F(ConverseTest, DocumentsAreReadForTheEngine) {
  bind(saying("A title."));
  const http::Response response = converse(haiku, std::string(with_document));
  ASSERT_EQ(response.status, 200) << response.body;
  const std::string asked = text_of(engine->asked.turns.at(0));
  EXPECT_THAT(asked, HasSubstr("Sum up."));
  EXPECT_THAT(asked, HasSubstr("[Document: Notes]\nOf Monday\n# Title"));
  EXPECT_FALSE(has_documents(engine->asked));
}

TEST_F(ConverseTest, ADocumentThatCannotBeReadIsRefused) {
  bind(saying("x"));
  const http::Response response = converse(
      haiku,
      R"({"messages":[{"role":"user","content":[{"text":"Sum up."},{"document":{"format":"docx","name":"Notes","source":{"bytes":"IyBUaXRsZQ=="}}}]}]})");
  EXPECT_EQ(error_type_of(response), "ValidationException");
  EXPECT_THAT(response.body, HasSubstr("document"));
}

TEST_F(ConverseTest, ARequestThatBreaksTheApiModelIsRefusedBeforeAnyRule) {
  bind(saying("x"));
  const http::Response response = converse(
      haiku,
      R"({"messages":[{"role":"user","content":[{"image":{"format":"PNG","source":{"bytes":"aGk="}}}]}]})");
  EXPECT_EQ(
      response.body,
      "{\"message\":\"1 validation error detected: Value at "
      "'messages.1.member.content.1.member.image.format' failed to satisfy constraint: Member "
      "must satisfy enum value set: [gif, jpeg, png, webp]\"}");
}

TEST_F(ConverseTest, TokensAreCountedAsTheCallWouldCountThem) {
  bind(saying("x"));
  const std::string messages = R"([{"role":"user","content":[{"text":"hi"}]}])";
  const std::string as_converse = R"({"input":{"converse":{"messages":)" + messages + "}}}";
  EXPECT_EQ(count(sonnet, as_converse).body, R"({"inputTokens":12})");
  const Conversation conversed = engine->asked;
  converse(sonnet, R"({"messages":)" + messages + "}");
  EXPECT_EQ(engine->asked, conversed);

  // {"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}
  const std::string as_native =
      R"({"input":{"invokeModel":{"body":"eyJhbnRocm9waWNfdmVyc2lvbiI6ImJlZHJvY2stMjAyMy0wNS0zMSIsIm1heF90b2tlbnMiOjksIm1lc3NhZ2VzIjpbeyJyb2xlIjoidXNlciIsImNvbnRlbnQiOiJoaSJ9XX0="}}})";
  EXPECT_EQ(count(sonnet, as_native).body, R"({"inputTokens":12})");
  EXPECT_EQ(text_of(engine->asked.turns.at(0)), "hi");
}

TEST_F(ConverseTest, AModelThatCountsNoTokensSaysSo) {
  bind(saying("x"));
  const http::Response response =
      count("amazon.titan-text-express-v1",
            R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}})");
  EXPECT_EQ(response.body, R"({"message":"The provided model doesn't support counting tokens."})");
}

TEST_F(ConverseTest, TokensOfABodyThatTheModelRefusesAreNotCounted) {
  bind(saying("x"));
  const http::Response response = count(sonnet, R"({"input":{"invokeModel":{"body":"e30="}}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("required key"));
}

}  // namespace
}  // namespace craton::service
