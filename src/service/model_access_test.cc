#include "service/model_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "service/errors.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;

constexpr std::string_view claude = "anthropic.claude-3-haiku-20240307-v1:0";
constexpr std::string_view mistral = "mistral.mistral-7b-instruct-v0:2";
constexpr std::string_view titan = "amazon.titan-text-express-v1";

/// 2026-11-23, when none of these models had ended.
WallTime that_day() { return WallTime(std::chrono::seconds(1'795'392'000)); }

class ModelAccessTest : public ServiceTest {
 protected:
  ModelAccessTest() {
    bind(saying("yes"));
    catalogue = std::make_shared<catalog::Catalog>(catalog::View::all, that_day);
    options.store = store::Store::in_memory();
    options.access = ModelAccess::on_request;
  }

  static http::Headers of(std::string_view region) {
    http::Headers headers;
    headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261124/" +
                                     std::string(region) +
                                     "/bedrock/aws4_request, SignedHeaders=host, Signature=00");
    return headers;
  }
  json::object get(std::string path, std::string_view region = "us-east-1") {
    const http::Response response = send("GET", std::move(path), {}, of(region));
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body)->as_object();
  }
  std::string token(std::string_view model, std::string_view region = "us-east-1") {
    const json::object offers =
        get("/list-foundation-model-agreement-offers/" + std::string(model), region);
    EXPECT_EQ(offers.at("modelId").as_string(), model);
    return std::string(offers.at("offers").at(0).at("offerToken").as_string());
  }
  http::Response agree(std::string_view model, std::string_view offer_token,
                       std::string_view region = "us-east-1") {
    const json::object body{{"modelId", model}, {"offerToken", offer_token}};
    return send("POST", "/create-foundation-model-agreement", json::to_text(body), of(region));
  }
  http::Response give_up(std::string_view model) {
    return send("POST", "/delete-foundation-model-agreement",
                json::to_text(json::object{{"modelId", model}}));
  }
  http::Response submit_form() {
    return send("POST", "/use-case-for-model-access",
                R"({"formData":"eyJjb21wYW55TmFtZSI6ICJBIn0="})");
  }
  http::Response ask(std::string_view model, std::string_view region = "us-east-1") {
    return send("POST", "/model/" + std::string(model) + "/converse",
                R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})", of(region));
  }
  std::string availability(std::string_view model, std::string_view region = "us-east-1") {
    const json::object found = get("/foundation-model-availability/" + std::string(model), region);
    EXPECT_EQ(found.at("modelId").as_string(), model);
    std::string text(found.at("agreementAvailability").at("status").as_string());
    for (const auto* member :
         {"authorizationStatus", "entitlementAvailability", "regionAvailability"}) {
      text += " " + std::string(found.at(member).as_string());
    }
    return text;
  }
};

TEST_F(ModelAccessTest, AmazonsOwnModelsNeedNoAgreement) {
  EXPECT_EQ(ask(titan).status, 200);
  EXPECT_EQ(availability(titan), "AVAILABLE AUTHORIZED AVAILABLE AVAILABLE");
  EXPECT_TRUE(get("/list-foundation-model-agreement-offers/" + std::string(titan))
                  .at("offers")
                  .as_array()
                  .empty());
  EXPECT_EQ(error_type_of(agree(titan, token(mistral))), "ValidationException");
}

TEST_F(ModelAccessTest, OtherModelsAreRefusedUntilThereIsAnAgreement) {
  const http::Response refused = ask(mistral);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(error_type_of(refused), "AccessDeniedException");
  EXPECT_EQ(refused.body,
            R"({"message":"You don't have access to the model with the specified model ID."})");
  EXPECT_EQ(availability(mistral), "NOT_AVAILABLE AUTHORIZED NOT_AVAILABLE AVAILABLE");
  const http::Response agreed = agree(mistral, token(mistral));
  EXPECT_EQ(agreed.status, 202);
  EXPECT_EQ(agreed.body, R"({"modelId":"mistral.mistral-7b-instruct-v0:2"})");
  EXPECT_EQ(ask(mistral).status, 200);
  EXPECT_EQ(availability(mistral), "AVAILABLE AUTHORIZED AVAILABLE AVAILABLE");
  EXPECT_EQ(error_type_of(agree(mistral, token(mistral))), "ConflictException");
  EXPECT_EQ(give_up(mistral).status, 202);
  EXPECT_EQ(ask(mistral).status, 403);
  EXPECT_EQ(error_type_of(give_up(mistral)), "ResourceNotFoundException");
}

TEST_F(ModelAccessTest, EveryWayToAModelAsksForTheAgreement) {
  const std::string body = R"({"prompt":"hi"})";
  const std::string path = "/model/" + std::string(mistral);
  for (const char* operation : {"/invoke", "/invoke-with-response-stream"}) {
    EXPECT_EQ(send("POST", path + operation, body).status, 403) << operation;
  }
  EXPECT_EQ(send("POST", path + "/converse-stream",
                 R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})")
                .status,
            403);
  EXPECT_EQ(
      send("POST", "/model/" + std::string(claude) + "/count-tokens",
           R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"x"}]}]}}})")
          .status,
      403);
  for (const char* name : {"openai.gpt-oss-20b-1:0", "openai.gpt-oss-20b"}) {
    EXPECT_EQ(send("POST", "/openai/v1/chat/completions",
                   R"({"model":")" + std::string(name) +
                       R"(","messages":[{"role":"user","content":"hi"}]})")
                  .status,
              403)
        << name;
  }
}

TEST_F(ModelAccessTest, ATokenIsOfItsModelAndRegion) {
  for (const std::string& wrong :
       {std::string("made-up"), token(claude), token(mistral, "us-west-2"), token(mistral) + "x"}) {
    const http::Response refused = agree(mistral, wrong);
    EXPECT_EQ(refused.status, 400) << wrong;
    EXPECT_THAT(refused.body, HasSubstr("offer token is invalid"));
  }
}

TEST_F(ModelAccessTest, AnAgreementIsOfItsRegion) {
  ASSERT_EQ(agree(mistral, token(mistral)).status, 202);
  EXPECT_EQ(ask(mistral, "us-east-1").status, 200);
  EXPECT_EQ(ask(mistral, "us-west-2").status, 403);
}

TEST_F(ModelAccessTest, AnthropicsModelsAskForTheFormFirst) {
  EXPECT_EQ(availability(claude), "NOT_AVAILABLE NOT_AUTHORIZED NOT_AVAILABLE AVAILABLE");
  EXPECT_EQ(ask(claude).status, 403);
  const http::Response refused = agree(claude, token(claude));
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(error_type_of(refused), "ResourceNotFoundException");
  EXPECT_THAT(refused.body, HasSubstr("Fill out the Anthropic use case details form"));
  EXPECT_EQ(send("GET", "/use-case-for-model-access").status, 404);
  EXPECT_EQ(submit_form().status, 201);
  EXPECT_EQ(get("/use-case-for-model-access").at("formData"), "eyJjb21wYW55TmFtZSI6ICJBIn0=");
  EXPECT_EQ(availability(claude), "NOT_AVAILABLE AUTHORIZED NOT_AVAILABLE AVAILABLE");
  EXPECT_EQ(agree(claude, token(claude)).status, 202);
  EXPECT_EQ(ask(claude).status, 200);
}

TEST_F(ModelAccessTest, AProfileNeedsTheAgreementOfItsModel) {
  constexpr std::string_view sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
  const std::string profile = "us." + std::string(sonnet);
  EXPECT_EQ(ask(profile).status, 403);
  ASSERT_EQ(submit_form().status, 201);
  ASSERT_EQ(agree(sonnet, token(sonnet)).status, 202);
  EXPECT_EQ(ask(profile).status, 200);
}

TEST_F(ModelAccessTest, AnUnknownModelIsRefusedByEachOperation) {
  for (const char* path :
       {"/list-foundation-model-agreement-offers/", "/foundation-model-availability/"}) {
    const http::Response refused = send("GET", std::string(path) + "acme.model-v1:0");
    EXPECT_EQ(refused.status, 400) << path;
    EXPECT_THAT(refused.body, HasSubstr("The provided model identifier is invalid."));
  }
  EXPECT_EQ(agree("acme.model-v1:0", "x").status, 400);
  EXPECT_EQ(give_up("acme.model-v1:0").status, 400);
  EXPECT_EQ(agree("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "x").status, 400);
}

TEST_F(ModelAccessTest, AModelOfAnotherRegionIsNotAvailableHere) {
  catalogue = std::make_shared<catalog::Catalog>(catalog::View::today, that_day);
  EXPECT_EQ(availability(mistral, "eu-north-1"),
            "NOT_AVAILABLE AUTHORIZED NOT_AVAILABLE NOT_AVAILABLE");
  EXPECT_EQ(send("GET", "/list-foundation-model-agreement-offers/" + std::string(mistral), {},
                 of("eu-north-1"))
                .status,
            400);
}

TEST_F(ModelAccessTest, WhereAllIsGrantedNothingIsAskedFor) {
  options.access = ModelAccess::granted;
  EXPECT_EQ(ask(claude).status, 200);
  EXPECT_EQ(availability(claude), "AVAILABLE AUTHORIZED AVAILABLE AVAILABLE");
  EXPECT_EQ(agree(claude, token(claude)).status, 202);
  EXPECT_EQ(agree(claude, "made-up").status, 400);
}

TEST_F(ModelAccessTest, AStoreThatFailsIsAnInternalErrorNotAccess) {
  options.store = std::make_shared<store::Store>("/tmp");  // a folder
  const http::Response refused = ask(mistral);
  EXPECT_EQ(refused.status, 500);
  EXPECT_EQ(error_type_of(refused), "InternalServerException");
  EXPECT_EQ(submit_form().status, 500);
  EXPECT_EQ(ask(titan).status, 200);
}

}  // namespace
}  // namespace craton::service
