// Who is told of cached tokens, and where: headers, metrics and usage of each way to ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/base64.h"
#include "base/json.h"
#include "event_stream/message.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Usage cached{
    .input_tokens = 5, .output_tokens = 3, .cache_read_tokens = 70, .cache_write_tokens = 800};

constexpr std::string_view sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
constexpr std::string_view nova = "amazon.nova-lite-v1%3A0";

/// `more`: of the only block.
std::string claude_body(std::string_view more = {}) {
  return R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user",)"
         R"("content":[{"type":"text","text":"Hi")" +
         std::string(more) + "}]}]}";
}
constexpr std::string_view mark = R"(,"cache_control":{"type":"ephemeral"})";

std::string nova_body(std::string_view more = {}) {
  return R"({"messages":[{"role":"user","content":[{"text":"Hi"})" + std::string(more) + "]}]}";
}
constexpr std::string_view point = R"(,{"cachePoint":{"type":"default"}})";

class CachedTokens : public ServiceTest {
 protected:
  CachedTokens() {
    bind({MessageStart{cached, {}}, TextDelta{"Hello.", 1, {}},
          MessageStop{StopReason::end_turn, {}}, cached});
  }

  /// The native pieces of a streamed reply, a line each.
  std::string pieces(std::string_view model, std::string body) {
    event_stream::Decoder decoder;
    decoder.feed(
        stream("/model/" + std::string(model) + "/invoke-with-response-stream", std::move(body)));
    std::string lines;
    while (true) {
      const auto message = decoder.next();
      EXPECT_TRUE(message);
      if (!message || !*message) return lines;
      const json::value payload = *json::parse((*message)->payload);
      lines += *base64_bytes(payload.at("bytes").as_string()) + "\n";
    }
  }
};

TEST_F(CachedTokens, AreInputTokensWhereNoCachingWasAskedFor) {
  const http::Response response = invoke(sonnet, claude_body());
  EXPECT_THAT(response.body, HasSubstr(R"("usage":{"input_tokens":875,)"
                                       R"("cache_creation_input_tokens":0,)"
                                       R"("cache_read_input_tokens":0,)"));
  EXPECT_EQ(response.headers.find("X-Amzn-Bedrock-Input-Token-Count"), "875");
  EXPECT_EQ(response.headers.find("X-Amzn-Bedrock-Cache-Read-Input-Token-Count"), "0");
  EXPECT_EQ(response.headers.find("X-Amzn-Bedrock-Cache-Write-Input-Token-Count"), "0");
}

TEST_F(CachedTokens, AreToldApartInAReplyThatWasAskedForSo) {
  const http::Response response = invoke(sonnet, claude_body(mark));
  EXPECT_THAT(response.body, HasSubstr(R"("usage":{"input_tokens":5,)"
                                       R"("cache_creation_input_tokens":800,)"
                                       R"("cache_read_input_tokens":70,)"));
  EXPECT_EQ(response.headers.find("X-Amzn-Bedrock-Input-Token-Count"), "5");
  EXPECT_EQ(response.headers.find("X-Amzn-Bedrock-Cache-Read-Input-Token-Count"), "70");
  EXPECT_EQ(response.headers.find("X-Amzn-Bedrock-Cache-Write-Input-Token-Count"), "800");
}

/// The last mark says how long: an hour's come before those of minutes.
TEST_F(CachedTokens, CountByTheLifeThatWasAskedFor) {
  constexpr std::string_view hour = R"(,"cache_control":{"type":"ephemeral","ttl":"1h"})";
  EXPECT_THAT(invoke(sonnet, claude_body(mark)).body,
              HasSubstr(R"("cache_creation":{"ephemeral_5m_input_tokens":800,)"
                        R"("ephemeral_1h_input_tokens":0})"));
  EXPECT_THAT(invoke(sonnet, claude_body(hour)).body,
              HasSubstr(R"("cache_creation":{"ephemeral_5m_input_tokens":0,)"
                        R"("ephemeral_1h_input_tokens":800})"));
  const std::string both =
      std::string(hour) + R"(},{"type":"text","text":"there")" + std::string(mark);
  EXPECT_THAT(invoke(sonnet, claude_body(both)).body,
              HasSubstr(R"("ephemeral_5m_input_tokens":800,"ephemeral_1h_input_tokens":0})"));
}

TEST_F(CachedTokens, AreToldApartInAStreamsFirstPieceAndItsMetrics) {
  const std::string lines = pieces(sonnet, claude_body(mark));
  EXPECT_THAT(lines, HasSubstr(R"("usage":{"input_tokens":5,"cache_creation_input_tokens":800,)"));
  EXPECT_THAT(lines,
              HasSubstr(R"("cacheReadInputTokenCount":70,"cacheWriteInputTokenCount":800}})"));
}

TEST_F(CachedTokens, AreInputTokensOfAStreamToo) {
  const std::string lines = pieces(sonnet, claude_body());
  EXPECT_THAT(lines, HasSubstr(R"("usage":{"input_tokens":875,"cache_creation_input_tokens":0,)"));
  EXPECT_THAT(lines, HasSubstr(R"("cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":0}})"));
}

TEST_F(CachedTokens, AreNeverToldOfAModelThatCachesNothing) {
  const http::Response response = invoke(haiku, claude_body(mark));
  EXPECT_THAT(response.body, HasSubstr(R"("usage":{"input_tokens":875,"output_tokens":3})"));
  EXPECT_FALSE(response.headers.find("X-Amzn-Bedrock-Cache-Read-Input-Token-Count"));
  EXPECT_THAT(pieces(haiku, claude_body(mark)), Not(HasSubstr("cache")));
}

TEST_F(CachedTokens, AreAlwaysInNovasUsage) {
  EXPECT_THAT(invoke(nova, nova_body()).body,
              HasSubstr(R"("usage":{"inputTokens":875,"outputTokens":3,"totalTokens":878,)"
                        R"("cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":0})"));
  EXPECT_THAT(invoke(nova, nova_body(point)).body,
              HasSubstr(R"("usage":{"inputTokens":5,"outputTokens":3,"totalTokens":878,)"
                        R"("cacheReadInputTokenCount":70,"cacheWriteInputTokenCount":800})"));
}

TEST_F(CachedTokens, AreAlwaysInNovasStreamAndItsMetrics) {
  EXPECT_THAT(pieces(nova, nova_body()),
              testing::AllOf(HasSubstr(R"("cacheWriteInputTokenCount":0},"metrics")"),
                             HasSubstr(R"("cacheWriteInputTokenCount":0}})")));
  EXPECT_THAT(pieces(nova, nova_body(point)),
              testing::AllOf(HasSubstr(R"("cacheWriteInputTokenCount":800},"metrics")"),
                             HasSubstr(R"("cacheWriteInputTokenCount":800}})")));
}

TEST_F(CachedTokens, ArePartOfTheFamiliesPromptsThatKnowNoCache) {
  EXPECT_THAT(invoke("meta.llama3-8b-instruct-v1%3A0", R"({"prompt":"Hi"})").body,
              HasSubstr(R"("prompt_token_count":875)"));
}

constexpr std::string_view chat =
    R"({"model":"openai.gpt-oss-20b-1:0","messages":[{"role":"user","content":"Hi"}])";

TEST_F(CachedTokens, ArePartOfOpenAisPromptTokens) {
  const http::Response response = send("POST", "/v1/chat/completions", std::string(chat) + "}");
  EXPECT_THAT(response.body,
              HasSubstr(R"("usage":{"prompt_tokens":875,"completion_tokens":3,"total_tokens":878,)"
                        R"("prompt_tokens_details":{"cached_tokens":70}})"));
  const http::Response native = invoke("openai.gpt-oss-20b-1%3A0", std::string(chat) + "}");
  EXPECT_THAT(native.body, HasSubstr(R"("prompt_tokens_details":{"cached_tokens":70}})"));
}

TEST_F(CachedTokens, ArePartOfAResponsesInputTokens) {
  const http::Response response =
      send("POST", "/v1/responses", R"({"model":"openai.gpt-oss-20b-1:0","input":"Hi"})");
  EXPECT_THAT(response.body, HasSubstr(R"("usage":{"input_tokens":875,)"
                                       R"("input_tokens_details":{"cached_tokens":70,)"));
}

std::string converse_body(std::string_view more = {}) {
  return R"({"messages":[{"role":"user","content":[{"text":"Hi"})" + std::string(more) + "]}]}";
}

TEST_F(CachedTokens, AreToldByConverseWhereACachePointAsksForIt) {
  const std::string target = "/model/" + std::string(sonnet) + "/converse";
  EXPECT_THAT(send("POST", target, converse_body()).body,
              HasSubstr(R"("usage":{"inputTokens":875,"outputTokens":3,"totalTokens":878})"));
  EXPECT_THAT(send("POST", target, converse_body(point)).body,
              HasSubstr(R"("usage":{"cacheDetails":[{"inputTokens":800,"ttl":"5m"}],)"
                        R"("cacheReadInputTokens":70,"cacheWriteInputTokens":800,)"
                        R"("inputTokens":5,"outputTokens":3,"totalTokens":878})"));
  constexpr std::string_view hour = R"(,{"cachePoint":{"type":"default","ttl":"1h"}})";
  EXPECT_THAT(send("POST", target, converse_body(hour)).body,
              HasSubstr(R"("cacheDetails":[{"inputTokens":800,"ttl":"1h"}])"));
  EXPECT_THAT(stream(target + "-stream", converse_body(point)),
              HasSubstr(R"("cacheReadInputTokenCount":70,"cacheReadInputTokens":70,)"
                        R"("cacheWriteInputTokenCount":800,"cacheWriteInputTokens":800,)"));
}

}  // namespace
}  // namespace craton::service
