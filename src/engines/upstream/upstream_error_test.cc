#include "engines/upstream/upstream_error.h"

#include <gtest/gtest.h>

#include <string>

namespace craton::engines::upstream {
namespace {

TEST(UpstreamError, StatusesAreBedrocksExceptions) {
  const std::pair<int, ErrorCode> rows[] = {
      {400, ErrorCode::validation},          {401, ErrorCode::model_error},
      {403, ErrorCode::model_error},         {404, ErrorCode::model_error},
      {408, ErrorCode::model_timeout},       {413, ErrorCode::validation},
      {422, ErrorCode::validation},          {429, ErrorCode::throttling},
      {500, ErrorCode::model_error},         {502, ErrorCode::model_error},
      {503, ErrorCode::service_unavailable}, {504, ErrorCode::model_timeout},
      {302, ErrorCode::model_error},         {200, ErrorCode::model_error},
  };
  for (const auto& [status, code] : rows) {
    EXPECT_EQ(refusal_of(status, "<html>").failure.error.code, code) << status;
  }
}

TEST(UpstreamError, RefusalsAreToldInTheServersWords) {
  for (const char* body :
       {R"({"error":{"message":"no such tool parser","type":"BadRequestError","code":400}})",
        R"({"object":"error","message":"no such tool parser","code":400})",
        R"({"detail":"no such tool parser"})", R"({"error":"no such tool parser"})"}) {
    EXPECT_EQ(refusal_of(400, body).failure.error.message,
              "The server that answers here refused the request: no such tool parser");
  }
  const std::string long_one = R"({"detail":")" + std::string(5000, 'x') + "\"}";
  EXPECT_LT(refusal_of(400, long_one).failure.error.message.size(), 1200u);
  EXPECT_EQ(refusal_of(400, R"({"detail":"cannot read /home/me/x.bin"})").failure.error.message,
            "The server that answers here refused the request: cannot read x.bin");
}

struct Long {
  std::string_view server;
  int status;
  std::string_view body;
  std::optional<InputTooLong> measured;
};
const Long long_ones[] = {
    {"vllm", 400,
     R"({"error":{"message":"This model's maximum context length is 4096 tokens. However, your )"
     R"(request has 5000 input tokens. Please reduce the length of the input messages."}})",
     InputTooLong{5000, 4096}},
    {"vllm_2024", 400,
     R"({"object":"error","message":"This model's maximum context length is 4096 tokens. However, )"
     R"(you requested 5100 tokens (5000 in the messages, 100 in the completion)."})",
     InputTooLong{5000, 4096}},
    {"vllm_engine", 400,
     R"({"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model )"
     R"(length of 4096. Make sure that `max_model_len` is no smaller."}})",
     InputTooLong{5000, 4096}},
    {"sglang", 400,
     R"({"object":"error","message":"Requested token count exceeds the model's maximum context )"
     R"(length of 4096 tokens. You requested a total of 5100 tokens: 5000 tokens from the input )"
     R"(messages and 100 tokens for the completion."})",
     InputTooLong{5000, 4096}},
    {"sglang_input", 400,
     R"({"message":"The input (5000 tokens) is longer than the model's context length )"
     R"((4096 tokens)."})",
     InputTooLong{5000, 4096}},
    {"openai", 400,
     R"({"error":{"message":"This model's maximum context length is 4096 tokens. However, your )"
     R"(messages resulted in 5000 tokens.","code":"context_length_exceeded"}})",
     InputTooLong{5000, 4096}},
    {"llama_server", 400,
     R"({"error":{"code":400,"message":"the request exceeds the available context size. try )"
     R"(increasing it","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}})",
     InputTooLong{5000, 4096}},
    {"llama_server_2024", 500, R"({"error":{"message":"Input is too long"}})", {}},
};

class PromptsThatAreTooLong : public testing::TestWithParam<Long> {};

TEST_P(PromptsThatAreTooLong, AreRefusedAsOtherEnginesDo) {
  const Long& row = GetParam();
  const Refusal refusal = refusal_of(row.status, row.body);
  EXPECT_EQ(refusal.failure.error.code, ErrorCode::validation);
  EXPECT_EQ(refusal.failure.error.message, "Input is too long for requested model.");
  ASSERT_EQ(refusal.measured.has_value(), row.measured.has_value());
  if (!row.measured) return;
  EXPECT_EQ(refusal.measured->input_tokens, row.measured->input_tokens);
  EXPECT_EQ(refusal.measured->context_tokens, row.measured->context_tokens);
  EXPECT_EQ(refusal.failure.input_too_long->context_tokens, row.measured->context_tokens - 1);
}

INSTANTIATE_TEST_SUITE_P(Servers, PromptsThatAreTooLong, testing::ValuesIn(long_ones),
                         [](const auto& row) { return std::string(row.param.server); });

TEST(UpstreamError, AnAnswerThatIsTooLongIsNoPromptThatIs) {
  const Refusal refusal = refusal_of(
      400,
      R"({"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 5000. This )"
      R"(model's maximum context length is 4096 tokens and your request has 100 input tokens )"
      R"((5000 > 4096 - 100)."}})");
  ASSERT_TRUE(refusal.measured);
  EXPECT_EQ(refusal.measured->input_tokens, 100);
  EXPECT_EQ(refusal.measured->context_tokens, 4096);
  EXPECT_FALSE(refusal.failure.input_too_long);
}

}  // namespace
}  // namespace craton::engines::upstream
