#include "service/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <optional>
#include <vector>

#include "api/operation.h"
#include "base/json.h"
#include "base/log.h"
#include "service/errors.h"
#include "service/operations.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

std::string claude_body(std::string_view question) {
  return "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":16,\"messages\":"
         "[{\"role\":\"user\",\"content\":" +
         json::quote(question) + "}]}";
}

TEST_F(ServiceTest, InvokeModelAnswersInTheProvidersForm) {
  bind(saying("서울입니다."));
  const http::Response response = invoke(haiku, claude_body("대한민국의 수도는?"));
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = json::parse(response.body)->as_object();
  EXPECT_EQ(body.at("content").at(0).at("text"), "서울입니다.");
  EXPECT_EQ(body.at("usage").at("input_tokens"), 12);
  EXPECT_EQ(response.headers.find("x-amzn-bedrock-input-token-count"), "12");
  EXPECT_EQ(response.headers.find("x-amzn-bedrock-output-token-count"), "3");
  EXPECT_EQ(response.headers.find("x-craton-engine"), "scripted");
  EXPECT_EQ(response.headers.find("x-craton-model"), "script");
  EXPECT_EQ(text_of(engine->asked.turns.at(0)), "대한민국의 수도는?");
}

TEST_F(ServiceTest, EveryAnswerCarriesARequestId) {
  for (const std::string_view target : {"/foundation-models", "/no/such/path"}) {
    const http::Response response = send("GET", std::string(target));
    EXPECT_THAT(std::string(response.headers.find("x-amzn-requestid").value_or("")),
                MatchesRegex("[0-9a-f-]{36}"));
  }
}

TEST_F(ServiceTest, AModelThatStillLoadsIsNotReady) {
  bind(saying("x"));
  engine->state = engines::State::loading;
  const http::Response response = invoke(haiku, claude_body("hi"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(error_type_of(response), "ModelNotReadyException");
}

TEST_F(ServiceTest, AModelThatFailedToLoadIsAModelError) {
  bind(saying("x"));
  engine->state = engines::State::failed;
  EXPECT_EQ(error_type_of(invoke(haiku, claude_body("hi"))), "ModelErrorException");
}

TEST_F(ServiceTest, TheEnginesRefusalReachesTheCaller) {
  bind(saying("x"));
  engine->refusal =
      Error{ErrorCode::throttling, "Too many requests, please wait before trying again."};
  const http::Response response = invoke(haiku, claude_body("hi"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(error_type_of(response), "ThrottlingException");
}

TEST_F(ServiceTest, APromptThatDoesNotFitIsRefusedInTheProvidersWords) {
  bind({Failure{{ErrorCode::validation, "too long"}, InputTooLong{9000, 8192}}});
  EXPECT_EQ(invoke(haiku, claude_body("hi")).body,
            R"({"message":"Input is too long for requested model."})");
  EXPECT_THAT(invoke("amazon.titan-text-express-v1", R"({"inputText":"hi"})").body,
              HasSubstr("request input token count: 9000 "));
}

TEST_F(ServiceTest, WithoutAModelInvocationsSayWhatToDo) {
  const http::Response response = invoke(haiku, claude_body("hi"));
  EXPECT_EQ(error_type_of(response), "ModelNotReadyException");
  EXPECT_THAT(response.body, HasSubstr("craton serve --model"));
}

TEST_F(ServiceTest, GuardrailsAreRefusedNotIgnored) {
  bind(saying("x"));
  http::Headers headers;
  headers.add("X-Amzn-Bedrock-GuardrailIdentifier", "abcdefghijkl");
  headers.add("X-Amzn-Bedrock-GuardrailVersion", "1");
  const http::Response response =
      send("POST", "/model/" + std::string(haiku) + "/invoke", claude_body("hi"), headers);
  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(response.body, HasSubstr("Guardrails"));
}

TEST_F(ServiceTest, AnUnknownPathIsAnUnknownOperation) {
  const http::Response response = send("GET", "/no/such/path");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(error_type_of(response), "UnknownOperationException");
}

TEST_F(ServiceTest, ErrorTypesCarryTheServicesSuffix) {
  EXPECT_EQ(send("GET", "/no/such/path").headers.find("x-amzn-ErrorType"),
            "UnknownOperationException:http://internal.amazon.com/coral/com.amazon.bedrock/");
}

TEST_F(ServiceTest, TheCallersRegionIsInTheArns) {
  http::Headers headers;
  headers.add("Authorization",
              "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-3/bedrock/aws4_request, "
              "SignedHeaders=host;x-amz-date, Signature=00");
  const http::Response response = send(
      "GET", "/foundation-models/anthropic.claude-3-haiku-20240307-v1:0", {}, std::move(headers));
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr("arn:aws:bedrock:eu-west-3::foundation-model/anthropic"));
}

TEST_F(ServiceTest, ARegionThatCouldBreakAnArnIsNotTaken) {
  http::Headers headers;
  headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=A/20261124/x\"y/bedrock/aws4_request");
  const http::Response response = send(
      "GET", "/foundation-models/anthropic.claude-3-haiku-20240307-v1:0", {}, std::move(headers));
  EXPECT_THAT(response.body, HasSubstr("arn:aws:bedrock:us-east-1::"));
}

TEST(Operations, EachImplementedOneIsInTheServiceModel) {
  for (const OperationRow& row : implemented_operations()) {
    EXPECT_NE(api::find_operation(row.name), nullptr) << row.name;
    EXPECT_TRUE((row.answer != nullptr) != (row.answer_later != nullptr)) << row.name;
  }
}

/// `uri` with an "x" for each of its labels.
std::string with_labels_filled(std::string_view uri) {
  std::string target;
  bool in_label = false;
  for (const char c : uri) {
    if (c == '{') {
      target += 'x';
      in_label = true;
    } else if (c == '}') {
      in_label = false;
    } else if (!in_label) {
      target += c;
    }
  }
  return target;
}

TEST_F(ServiceTest, EveryOtherOperationAnswers501AndItsName) {
  int checked = 0;
  for (const api::Operation& operation : api::operations()) {
    if (find_implementation(operation.name)) continue;
    const std::string target = with_labels_filled(operation.uri);
    const http::Response response = send(std::string(operation.method), target);
    EXPECT_EQ(response.status, 501) << operation.name;
    EXPECT_THAT(response.body, StartsWith("{\"message\":\"" + std::string(operation.name) + " "));
    ++checked;
  }
  EXPECT_EQ(checked, 119 - static_cast<int>(implemented_operations().size()));
}

TEST_F(ServiceTest, AnOperationThatIsNotThereYetSaysWhatBedrockWouldSayOfTheInput) {
  const http::Response response = send("POST", "/guardrails", R"({"name":""})");
  EXPECT_EQ(error_type_of(response), "NotImplementedException");
  EXPECT_THAT(response.body, HasSubstr("at 'name' failed to satisfy constraint"));
  EXPECT_THAT(send("GET", "/guardrails").body, testing::Not(HasSubstr("would refuse")));
}

TEST(Refusals, CarryAWSsTypeAndARequestId) {
  const http::Response response = refusal_response(413, "too large");
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(error_type_of(response), "RequestEntityTooLargeException");
  EXPECT_TRUE(response.headers.find("x-amzn-RequestId"));
}

}  // namespace
}  // namespace craton::service
