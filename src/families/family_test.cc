#include "families/family.h"

#include <gtest/gtest.h>

#include <string>

#include "families/anthropic_model.h"
#include "families/schema.h"

namespace craton::families {
namespace {

struct Row {
  std::string_view model_id;
  std::string_view body;
  std::string_view family;
};

constexpr std::string_view prompt = R"({"prompt":"Hi"})";
constexpr std::string_view messages = R"({"messages":[]})";
constexpr std::string_view both = R"({"messages":[],"prompt":"Hi"})";

const Row rows[] = {
    {"anthropic.claude-3-haiku-20240307-v1:0", messages, "anthropic.messages"},
    {"anthropic.claude-3-haiku-20240307-v1:0", prompt, "anthropic.messages"},
    {"anthropic.claude-opus-4-6-v1", "not json", "anthropic.messages"},
    {"anthropic.claude-v2", prompt, "anthropic.text"},
    {"anthropic.claude-v2", both, "anthropic.text"},
    {"anthropic.claude-v2:1", messages, "anthropic.messages"},
    {"anthropic.claude-instant-v1", "not json", "anthropic.text"},
    {"meta.llama2-13b-chat-v1", prompt, "meta.llama"},
    {"mistral.mistral-7b-instruct-v0:2", messages, "mistral.text"},
    {"mistral.mistral-large-2402-v1:0", messages, "mistral.messages"},
    {"mistral.mistral-large-2402-v1:0", prompt, "mistral.text"},
    {"amazon.titan-text-lite-v1", "{}", "amazon.titan-text"},
    {"amazon.titan-tg1-large", "{}", "amazon.titan-text"},
    {"cohere.command-light-text-v14", prompt, "cohere.command"},
    {"ai21.j2-grande-instruct", prompt, "ai21.j2"},
    {"amazon.titan-embed-text-v1", "{}", ""},
    {"amazon.nova-micro-v1:0", messages, ""},
    {"cohere.command-r-v1:0", messages, ""},
    {"stability.stable-diffusion-xl-v1", "{}", ""},
    {"", "{}", ""},
};

TEST(FamilyOf, IsTheOneThatSpeaksForTheIdAndReadsTheBody) {
  for (const Row& row : rows) {
    const Family* family = family_of(row.model_id, row.body);
    EXPECT_EQ(family ? family->name : "", row.family) << row.model_id << " " << row.body;
  }
}

TEST(Families, RefuseAPromptThatDoesNotFitInTheProvidersWords) {
  const InputTooLong measured{5000, 4096};
  const auto words = [&](std::string_view id, std::string_view body) {
    return family_of(id, body)->too_long(measured).message;
  };
  EXPECT_EQ(words("anthropic.claude-v2", prompt), "Input is too long for requested model.");
  EXPECT_EQ(
      words("meta.llama2-13b-chat-v1", prompt),
      "This model's maximum context length is 4096 tokens. Please reduce the length of the prompt");
  EXPECT_EQ(
      words("amazon.titan-text-lite-v1", "{}"),
      "400 Bad Request: Too many input tokens. Max input tokens: 4096, request input token count: "
      "5000 ");
}

/// The refusal of a body by Titan's schema, which has strings, numbers, lists and objects.
std::string refusal(const std::string& body) {
  const ModelContext model{"amazon.titan-text-lite-v1", 4096, 4096};
  const auto request = family_of(model.model_id, body)->parse(model, body);
  return request ? "" : request.error().message;
}

TEST(Violations, RepeatNumbersAsTheyWereWritten) {
  const auto config = [](const std::string& value) {
    return refusal(R"({"inputText":"Hi","textGenerationConfig":{"maxTokenCount":)" + value + "}}");
  };
  EXPECT_NE(config("123456789012345678901234567890")
                .find("#/textGenerationConfig/maxTokenCount: "
                      "123456789012345678901234567890 is not"),
            std::string::npos);
  EXPECT_NE(config("5.0").find("expected type: Integer, found: BigDecimal"), std::string::npos);
  EXPECT_NE(config("99999999999").find("99999999999 is not less or equal to 4096"),
            std::string::npos);
  EXPECT_NE(config("null").find("expected type: Integer, found: Null"), std::string::npos);
}

TEST(Violations, AreListedUpToABound) {
  std::string body = R"({"inputText":"Hi")";
  for (int i = 0; i < 10'000; ++i) body += ",\"k" + std::to_string(i) + "\":1";
  const std::string text = refusal(body + "}");
  EXPECT_LT(text.size(), violations_max * 100);
  EXPECT_NE(text.find("extraneous key [k0] is not permitted"), std::string::npos);
}

TEST(Violations, RepeatLittleOfALongText) {
  EXPECT_LT(refusal("{\"" + std::string(1'000'000, 'x') + "\":1}").size(),
            2 * repeated_text_max + 200);
}

TEST(AnthropicModel, IsNamedAsAnthropicDoes) {
  const std::pair<std::string_view, std::string_view> names[] = {
      {"anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku-20240307"},
      {"anthropic.claude-3-haiku-20240307-v1:0:48k", "claude-3-haiku-20240307"},
      {"anthropic.claude-v2", "claude-2.0"},
      {"anthropic.claude-v2:1:200k", "claude-2.1"},
      {"anthropic.claude-instant-v1", "claude-instant-1.2"},
      {"anthropic.claude-opus-4-6-v1", "claude-opus-4-6"},
  };
  for (const auto& [id, name] : names) EXPECT_EQ(anthropic_name(id), name) << id;
}

TEST(AnthropicModel, KnowsWhatItsGenerationDoes) {
  EXPECT_FALSE(counts_cached_tokens("anthropic.claude-3-haiku-20240307-v1:0"));
  EXPECT_FALSE(counts_cached_tokens("anthropic.claude-3-5-sonnet-20240620-v1:0"));
  EXPECT_TRUE(counts_cached_tokens("anthropic.claude-3-5-haiku-20241022-v1:0"));
  EXPECT_TRUE(counts_cached_tokens("anthropic.claude-3-7-sonnet-20250219-v1:0"));
  EXPECT_FALSE(takes_one_of_temperature_and_top_p("anthropic.claude-opus-4-1-20250805-v1:0"));
  EXPECT_TRUE(takes_one_of_temperature_and_top_p("anthropic.claude-sonnet-4-5-20250929-v1:0"));
  EXPECT_TRUE(takes_one_of_temperature_and_top_p("anthropic.claude-fable-5"));
  EXPECT_TRUE(is_completion_claude("anthropic.claude-v2:1"));
  EXPECT_FALSE(is_completion_claude("anthropic.claude-3-haiku-20240307-v1:0"));
}

}  // namespace
}  // namespace craton::families
