// Who is told that an answer ended because the context was full, and who that it is long enough.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;

constexpr std::string_view sonnet_4_5 = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
constexpr std::string_view claude_body =
    R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":4000,)"
    R"("messages":[{"role":"user","content":"Hi"}]})";
constexpr std::string_view converse_body =
    R"({"messages":[{"role":"user","content":[{"text":"Hi"}]}]})";

class FullContext : public ServiceTest {
 protected:
  FullContext() {
    bind({MessageStart{}, TextDelta{"And so on", 3, {}}, MessageStop{StopReason::full_context, {}},
          Usage{.input_tokens = 12, .output_tokens = 3}});
  }

  std::string converse(std::string_view model) {
    return send("POST", "/model/" + std::string(model) + "/converse", std::string(converse_body))
        .body;
  }
};

TEST_F(FullContext, IsNamedByTheModelsThatTellIt) {
  EXPECT_THAT(invoke(sonnet_4_5, std::string(claude_body)).body,
              HasSubstr(R"("stop_reason":"model_context_window_exceeded","stop_sequence":null)"));
  EXPECT_THAT(converse(sonnet_4_5), HasSubstr(R"("stopReason":"model_context_window_exceeded")"));
  EXPECT_THAT(
      stream("/model/" + std::string(sonnet_4_5) + "/converse-stream", std::string(converse_body)),
      HasSubstr(R"("stopReason":"model_context_window_exceeded")"));
}

TEST_F(FullContext, IsALimitOfTokensToAllOthers) {
  EXPECT_THAT(invoke(haiku, std::string(claude_body)).body,
              HasSubstr(R"("stop_reason":"max_tokens")"));
  EXPECT_THAT(converse(haiku), HasSubstr(R"("stopReason":"max_tokens")"));
  EXPECT_THAT(converse("amazon.nova-lite-v1%3A0"), HasSubstr(R"("stopReason":"max_tokens")"));
  EXPECT_THAT(invoke("amazon.titan-text-lite-v1", R"({"inputText":"Hi"})").body,
              HasSubstr(R"("completionReason":"LENGTH")"));
  EXPECT_THAT(invoke("meta.llama3-8b-instruct-v1%3A0", R"({"prompt":"Hi"})").body,
              HasSubstr(R"("stop_reason":"length")"));
  EXPECT_THAT(invoke("mistral.mistral-7b-instruct-v0%3A2", R"({"prompt":"Hi"})").body,
              HasSubstr(R"("stop_reason":"length")"));
}

}  // namespace
}  // namespace craton::service
