// Other providers' APIs beside the service model: their forms of answers, streams and errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/json.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ProviderApiTest : public ServiceTest {
 protected:
  http::Response post(std::string target, std::string body) {
    return send("POST", std::move(target), std::move(body));
  }
};

constexpr std::string_view claude_messages =
    R"("model":"anthropic.claude-3-haiku-20240307-v1:0","max_tokens":16,)"
    R"("messages":[{"role":"user","content":"Hi"}])";

std::string claude(std::string_view more = {}) {
  return "{" + std::string(claude_messages) + std::string(more) + "}";
}

TEST_F(ProviderApiTest, AnthropicsNamesTheModelInTheBody) {
  bind(saying("Hello."));
  const http::Response response = post("/anthropic/v1/messages", claude());
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(json::parse(response.body)->at("content").at(0).at("text"), "Hello.");
  EXPECT_EQ(response.headers.find("x-craton-engine"), "scripted");
}

TEST_F(ProviderApiTest, AQueryDoesNotMatter) {
  bind(saying("Hello."));
  EXPECT_EQ(post("/anthropic/v1/messages?beta=true", claude()).status, 200);
}

TEST_F(ProviderApiTest, AnthropicsStreamIsServerSentEvents) {
  bind(saying("Hello."));
  const std::string events = stream("/anthropic/v1/messages", claude(R"(,"stream":true)"));
  EXPECT_THAT(events, StartsWith("event: message_start\ndata: {\"type\":\"message_start\""));
  EXPECT_THAT(events, HasSubstr("event: content_block_delta\ndata: {"));
  EXPECT_THAT(events, HasSubstr("\"text\":\"Hello.\""));
  EXPECT_TRUE(events.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
      << events;
}

TEST_F(ProviderApiTest, AFailureWithinAStreamIsAnErrorEvent) {
  bind({MessageStart{}, TextDelta{"Hel", 1, {}},
        Failure{{ErrorCode::model_timeout, "Too slow."}, std::nullopt}});
  EXPECT_THAT(stream("/anthropic/v1/messages", claude(R"(,"stream":true)")),
              HasSubstr("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                        "\"timeout_error\",\"message\":\"Too slow.\"}}\n\n"));
}

TEST_F(ProviderApiTest, CountsTokensWithoutALimitOfThem) {
  bind(saying("Hello."));
  const http::Response response = post(
      "/anthropic/v1/messages/count_tokens",
      R"({"model":"anthropic.claude-3-haiku-20240307-v1:0","messages":[{"role":"user","content":"Hi"}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.body, R"({"input_tokens":12})");
}

struct Refused {
  const char* name;
  std::string body;
  int status;
  std::string_view type;
  std::string_view message;
};

class AnthropicRefusal : public ProviderApiTest, public testing::WithParamInterface<Refused> {};

TEST_P(AnthropicRefusal, IsInAnthropicsForm) {
  bind(saying("Hello."));
  const http::Response response = post("/anthropic/v1/messages", GetParam().body);
  EXPECT_EQ(response.status, GetParam().status);
  const auto body = json::parse(response.body);
  ASSERT_TRUE(body) << response.body;
  EXPECT_EQ(body->at("type"), "error");
  EXPECT_EQ(std::string_view(body->at("error").at("type").as_string()), GetParam().type);
  EXPECT_THAT(std::string(body->at("error").at("message").as_string()),
              HasSubstr(std::string(GetParam().message)));
  EXPECT_TRUE(body->as_object().contains("request_id"));
}

const Refused refused[] = {
    {"no_json", "{", 400, "invalid_request_error", ""},
    {"no_object", "[]", 400, "invalid_request_error", "JSON object"},
    {"no_model", R"({"messages":[]})", 400, "invalid_request_error", "model: Field required"},
    {"unknown_model", R"({"model":"nobody.nothing"})", 400, "invalid_request_error",
     "The provided model identifier is invalid."},
    {"model_of_another", R"({"model":"mistral.mistral-7b-instruct-v0:2"})", 400,
     "invalid_request_error", "does not support the '/anthropic/v1/messages' API"},
    {"bad_stream", claude(R"(,"stream":1)"), 400, "invalid_request_error", "stream"},
    {"bad_member", claude(R"(,"temperature":7)"), 400, "invalid_request_error", "temperature"},
};
INSTANTIATE_TEST_SUITE_P(Bodies, AnthropicRefusal, testing::ValuesIn(refused),
                         [](const auto& row) { return row.param.name; });

std::string gpt(std::string_view more = {}) {
  return R"({"model":"openai.gpt-oss-20b-1:0","messages":[{"role":"user","content":"Hi"}])" +
         std::string(more) + "}";
}

TEST_F(ProviderApiTest, OpenAisChatIsWholeOrStreamed) {
  for (const std::string_view path : {"/openai/v1/chat/completions", "/v1/chat/completions"}) {
    bind(saying("Hello."));
    const http::Response whole = post(std::string(path), gpt());
    ASSERT_EQ(whole.status, 200) << whole.body;
    EXPECT_EQ(json::parse(whole.body)->at("choices").at(0).at("message").at("content"), "Hello.");
    const std::string events = stream(std::string(path), gpt(R"(,"stream":true)"));
    EXPECT_THAT(events, StartsWith("data: {"));
    EXPECT_THAT(events, HasSubstr("\"content\":\"Hello.\""));
    EXPECT_THAT(events, testing::EndsWith("\n\ndata: [DONE]\n\n"));
  }
}

TEST_F(ProviderApiTest, OpenAisResponsesAreWholeOrStreamed) {
  bind(saying("Hello."));
  const std::string body = R"({"model":"openai.gpt-oss-20b-1:0","input":"Hi")";
  const http::Response whole = post("/openai/v1/responses", body + "}");
  ASSERT_EQ(whole.status, 200) << whole.body;
  EXPECT_EQ(json::parse(whole.body)->at("output").at(0).at("content").at(0).at("text"), "Hello.");
  const std::string events = stream("/v1/responses", body + R"(,"stream":true})");
  EXPECT_THAT(events, StartsWith("event: response.created\ndata: {\"type\":\"response.created\""));
  EXPECT_THAT(events, HasSubstr("event: response.output_text.delta\ndata: {"));
  EXPECT_THAT(events, HasSubstr("event: response.completed\ndata: {"));
}

TEST_F(ProviderApiTest, OpenAisModelMayBeNamedWithoutItsVersion) {
  bind(saying("Hello."));
  const std::string body =
      R"({"model":"openai.gpt-oss-20b","messages":[{"role":"user","content":"Hi"}]})";
  EXPECT_EQ(post("/openai/v1/chat/completions", body).status, 200);
}

TEST_F(ProviderApiTest, OpenAisRefusalsAreInItsForm) {
  bind(saying("Hello."));
  const http::Response response =
      post("/openai/v1/chat/completions",
           R"({"model":"anthropic.claude-v2","messages":[{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(response.status, 400);
  const json::value error = json::parse(response.body)->at("error");
  EXPECT_EQ(error.at("type"), "invalid_request_error");
  EXPECT_EQ(error.at("code"), "validation_error");
  EXPECT_TRUE(error.at("param").is_null());
  EXPECT_EQ(error.at("message"),
            "The model 'anthropic.claude-v2' does not support the '/v1/chat/completions' API");
}

/// The `error` of a refusal, as it is written.
std::string error_of(const http::Response& response) {
  const auto body = json::parse(response.body);
  const json::value* error = body ? body->as_object().if_contains("error") : nullptr;
  return error ? json::to_text(*error) : response.body;
}

TEST_F(ProviderApiTest, AnEarlierResponseIsNotFoundByOpenAisCode) {
  bind(saying("Hello."));
  const http::Response response =
      post("/v1/responses",
           R"({"model":"openai.gpt-oss-20b-1:0","input":"Hi","previous_response_id":"resp_1\"2"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(error_of(response),
            R"({"code":"previous_response_not_found","message":"Previous response with id )"
            R"('resp_1\"2' not found.","param":"previous_response_id",)"
            R"("type":"invalid_request_error"})");
}

TEST_F(ProviderApiTest, ATooLongPromptHasOpenAisCode) {
  bind({Failure{{ErrorCode::validation, "Too long."}, InputTooLong{5000, 4096}}});
  EXPECT_THAT(error_of(post("/v1/chat/completions", gpt())),
              HasSubstr(R"("code":"context_length_exceeded","message":"This model's maximum )"
                        "context length is 4096 tokens."));
}

TEST_F(ProviderApiTest, AFailureWithinAStreamOfAResponseIsATypedError) {
  bind({MessageStart{}, TextDelta{"Hel", 1, {}},
        Failure{{ErrorCode::model_timeout, "Too slow."}, std::nullopt}});
  EXPECT_THAT(
      stream("/v1/responses", R"({"model":"openai.gpt-oss-20b-1:0","input":"Hi","stream":true})"),
      testing::EndsWith("event: error\ndata: {\"type\":\"error\",\"code\":\"timeout\","
                        "\"message\":\"Too slow.\",\"param\":null}\n\n"));
}

TEST_F(ProviderApiTest, OpenAisListHasTheModelsThatItServes) {
  const json::value list = *json::parse(send("GET", "/openai/v1/models").body);
  EXPECT_EQ(list.at("object"), "list");
  std::vector<std::string> ids;
  for (const json::value& model : list.at("data").as_array()) {
    ids.emplace_back(model.at("id").as_string());
  }
  EXPECT_THAT(ids, testing::Contains("openai.gpt-oss-20b-1:0"));
  EXPECT_THAT(ids, testing::Not(testing::Contains(HasSubstr("anthropic."))));
}

TEST_F(ProviderApiTest, OtherMethodsAreUnknown) {
  EXPECT_EQ(send("GET", "/anthropic/v1/messages").status, 404);
}

}  // namespace
}  // namespace craton::service
