// Quotas of models: what requests take, what is given back, what refusals say.
#include "service/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "metrics/page.h"
#include "service/errors.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string claude(int tokens_max, std::string_view text = "hi") {
  return R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":)" + std::to_string(tokens_max) +
         R"(,"messages":[{"role":"user","content":")" + std::string(text) + "\"}]}";
}

class QuotasTest : public ServiceTest {
 protected:
  void limit(std::string_view rules) {
    options.quotas = std::make_shared<auth::QuotaTable>(*auth::read_quota_rules(rules));
  }

  /// What is left in all places that are counted: "9rpm,985tpm".
  std::string left() const {
    std::string text;
    for (const auto& row : options.quotas->rows(std::chrono::steady_clock::now(), system_now())) {
      for (const auto& use : row.uses) {
        text += (text.empty() ? "" : " ") + auth::text_of(use.left);
      }
    }
    return text;
  }
};

TEST_F(QuotasTest, RefuseInBedrocksWords) {
  bind(saying("Hello."));
  limit("anthropic.*=1rpm");
  EXPECT_EQ(invoke(haiku, claude(10)).status, 200);
  const http::Response refused = invoke(haiku, claude(10));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(error_type_of(refused), "ThrottlingException");
  EXPECT_EQ(refused.body, R"({"message":"Too many requests, please wait before trying again."})");
  EXPECT_EQ(refused.headers.find("x-craton-quota"),
            "anthropic.*;requests-per-minute;asked=1;left=0");
  EXPECT_FALSE(refused.headers.find("x-amz-retry-after")) << "Bedrock is not known to send it";
}

TEST_F(QuotasTest, AreSharedByAllOperations) {
  bind(saying("Hello."));
  limit("anthropic.*=2rpm");
  EXPECT_EQ(invoke(haiku, claude(10)).status, 200);
  const std::string converse =
      R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":9}})";
  const std::string model = "/model/" + std::string(haiku);
  EXPECT_FALSE(stream(model + "/converse-stream", converse).empty());
  EXPECT_EQ(send("POST", model + "/converse", converse).status, 429);
  EXPECT_EQ(send("POST", model + "/invoke-with-response-stream", claude(10)).status, 429);
}

TEST_F(QuotasTest, TakeTheMostAnAnswerMayHaveAndGiveBackTheRest) {
  bind(saying("Hello."));
  limit("anthropic.*=10rpm,100tpm");
  const http::Response refused = invoke(haiku, claude(101));
  EXPECT_EQ(refused.body, R"({"message":"Too many tokens, please wait before trying again."})");
  EXPECT_EQ(refused.headers.find("x-craton-quota"),
            "anthropic.*;tokens-per-minute;asked=101;left=100");
  EXPECT_EQ(invoke(haiku, claude(100)).status, 200);
  EXPECT_THAT(left(), testing::MatchesRegex("[19][0rp].*,85tpm")) << "12 in, 3 out";
}

TEST_F(QuotasTest, TakeFiveForATokenOfLaterClaudes) {
  limit("anthropic.*=1000tpm");
  for (const auto& [id, rest] :
       {std::pair("us.anthropic.claude-sonnet-4-5-20250929-v1%3A0", "973tpm"),
        std::pair("us.anthropic.claude-haiku-4-5-20251001-v1%3A0", "973tpm"),
        std::pair("anthropic.claude-3-haiku-20240307-v1%3A0", "985tpm")}) {
    options.quotas->reset();
    bind(saying("Hello."));
    ASSERT_EQ(invoke(id, claude(100)).status, 200) << id;
    EXPECT_EQ(left(), rest) << id;
  }
}

TEST_F(QuotasTest, TakeNothingForWhatIsReadFromACache) {
  limit("amazon.*=1000tpm");
  bind({MessageStart{}, TextDelta{"x"}, MessageStop{},
        Usage{.input_tokens = 10,
              .output_tokens = 5,
              .cache_read_tokens = 300,
              .cache_write_tokens = 20}});
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}],"inferenceConfig":{"maxTokens":9}})";
  ASSERT_EQ(send("POST", "/model/amazon.nova-lite-v1%3A0/converse", body).status, 200);
  EXPECT_EQ(left(), "965tpm");
}

TEST_F(QuotasTest, GiveBackAllTokensOfARequestThatFails) {
  bind({Failure{{ErrorCode::model_error, "no"}, std::nullopt}});
  limit("anthropic.*=10rpm,100tpm");
  EXPECT_EQ(invoke(haiku, claude(50)).status, 424);
  EXPECT_THAT(left(), HasSubstr(",100tpm"));
}

TEST_F(QuotasTest, PassCountTokensBy) {
  bind(saying("Hello."));
  limit("*=1rpm,100tpm");
  const std::string count =
      R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}})";
  const std::string anthropic =
      R"({"model":"anthropic.claude-3-haiku-20240307-v1:0","messages":[{"role":"user","content":"hi"}]})";
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(send("POST", "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens", count)
                  .status,
              200);
    ASSERT_EQ(send("POST", "/anthropic/v1/messages/count_tokens", anthropic).status, 200);
  }
  EXPECT_EQ(left(), "");
}

TEST_F(QuotasTest, SayWhenToComeAgainInTheFormsThatDo) {
  bind(saying("Hello."));
  limit("*=1rpm");
  const std::string anthropic =
      R"({"model":"anthropic.claude-3-haiku-20240307-v1:0","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
  ASSERT_EQ(send("POST", "/anthropic/v1/messages", anthropic).status, 200);
  const http::Response refused = send("POST", "/anthropic/v1/messages", anthropic);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, StartsWith(R"({"type":"error","error":{"type":"rate_limit_error",)"
                                       R"("message":"Too many requests, please wait)"));
  EXPECT_EQ(refused.headers.find("retry-after"), "60");
  EXPECT_FALSE(refused.headers.find("x-amz-retry-after"));

  const std::string openai =
      R"({"model":"openai.gpt-oss-20b-1:0","messages":[{"role":"user","content":"hi"}]})";
  ASSERT_EQ(send("POST", "/openai/v1/chat/completions", openai).status, 200);
  const http::Response limited = send("POST", "/openai/v1/chat/completions", openai);
  EXPECT_EQ(limited.status, 429);
  EXPECT_THAT(limited.body, HasSubstr(R"("code":"rate_limit_exceeded")"));
  EXPECT_EQ(limited.headers.find("retry-after"), "60");
}

TEST_F(QuotasTest, SayItInEveryFormOrInNone) {
  bind(saying("Hello."));
  for (const RetryAfter told : {RetryAfter::on, RetryAfter::off}) {
    limit("*=1rpm");
    options.retry_after = told;
    (void)invoke(haiku, claude(10));
    const http::Response refused = invoke(haiku, claude(10));
    const auto wait = refused.headers.find("x-amz-retry-after");
    EXPECT_EQ(wait.has_value(), told == RetryAfter::on);
    if (wait) {
      EXPECT_GT(std::stoi(std::string(*wait)), 50'000);
      EXPECT_LE(std::stoi(std::string(*wait)), 60'000);
    }
    EXPECT_FALSE(refused.headers.find("retry-after")) << "JavaScript and Java would read it";
  }
}

TEST_F(QuotasTest, AreOfProfilesByThemselves) {
  bind(saying("Hello."));
  limit("amazon.*=1rpm");
  const std::string nova =
      R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":9}})";
  EXPECT_EQ(invoke("us.amazon.nova-lite-v1%3A0", nova).status, 200);
  EXPECT_EQ(invoke("us.amazon.nova-lite-v1%3A0", nova).status, 429);
  EXPECT_EQ(invoke("amazon.nova-lite-v1%3A0", nova).status, 200);
}

TEST_F(QuotasTest, AreCountedWhereTheyRefuse) {
  ServiceMetrics metrics;
  metrics.throttled({"anthropic.*", "requests-per-minute", "anthropic.a"});
  metrics.throttled({"anthropic.*", "requests-per-minute", "anthropic.a"});
  metrics::Page page(metrics::Format::prometheus);
  metrics.write(page);
  EXPECT_THAT(page.take(),
              HasSubstr("craton_throttled_requests_total{quota=\"anthropic.*\",limit=\"requests-"
                        "per-minute\",gen_ai_request_model=\"anthropic.a\"} 2\n"));
}

}  // namespace
}  // namespace craton::service
