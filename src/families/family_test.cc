#include "families/family.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

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
    {"amazon.nova-micro-v1:0", messages, "amazon.nova"},
    {"amazon.nova-2-lite-v1:0:256k", messages, "amazon.nova"},
    {"amazon.nova-canvas-v1:0", messages, ""},
    {"cohere.command-r-v1:0", messages, "cohere.command-r"},
    {"ai21.jamba-1-5-mini-v1:0", messages, "ai21.jamba"},
    {"deepseek.r1-v1:0", prompt, "deepseek.r1"},
    {"deepseek.v3-v1:0", messages, "openai.chat"},
    {"openai.gpt-oss-20b-1:0", messages, "openai.chat"},
    {"mistral.mistral-large-2407-v1:0", messages, "openai.chat"},
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

// Fields that Converse carries along.

struct Additional {
  std::string_view name;
  std::string_view model_id;
  std::string_view fields;
  std::string_view error;  ///< Begins the refusal; empty when there is none.
};

constexpr std::string_view haiku_3 = "anthropic.claude-3-haiku-20240307-v1:0";
constexpr std::string_view sonnet_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0";
constexpr std::string_view not_permitted =
    "Malformed input request: #: extraneous key [x] is not permitted, please reformat your input "
    "and try again.";

const Additional additionals[] = {
    {"claude_top_k", haiku_3, R"({"top_k":50})", ""},
    {"claude_unknown", haiku_3, R"({"x":1})", not_permitted},
    {"claude_messages", haiku_3, R"({"messages":[]})",
     "Malformed input request: #: extraneous key [messages]"},
    {"claude_bounds", haiku_3, R"({"top_k":501})",
     "Malformed input request: #/top_k: 501 is not less or equal to 500"},
    {"claude_old_thinking", haiku_3, R"({"thinking":{"type":"enabled","budget_tokens":1024}})",
     "Malformed input request: #: extraneous key [thinking]"},
    {"claude_thinking", sonnet_3_7, R"({"thinking":{"type":"enabled","budget_tokens":1024}})", ""},
    {"claude_budget", sonnet_3_7, R"({"thinking":{"type":"enabled","budget_tokens":5000}})",
     "`max_tokens` must be greater than `thinking.budget_tokens`."},
    {"claude_tools", sonnet_3_7,
     R"({"tools":[{"type":"bash_20250124","name":"bash"}],"anthropic_beta":["b"]})", ""},
    {"claude_tools_twice", sonnet_3_7,
     R"({"tools":[{"name":"f","input_schema":{"type":"object"}}]})",
     "tools: Tool names must be unique."},
    {"mistral_top_k", "mistral.mistral-7b-instruct-v0:2", R"({"top_k":50})", ""},
    {"mistral_chat_top_k", "mistral.mistral-large-2402-v1:0", R"({"top_k":50})", ""},
    {"mistral_unknown", "mistral.mistral-large-2402-v1:0", R"({"x":1})", not_permitted},
    {"cohere_k", "cohere.command-text-v14", R"({"k":50,"return_likelihoods":"NONE"})", ""},
    {"cohere_generations", "cohere.command-text-v14", R"({"num_generations":2})",
     "Malformed input request: #/num_generations: 2 is not less or equal to 1"},
    {"llama_unknown", "meta.llama3-8b-instruct-v1:0", R"({"x":1})", not_permitted},
    {"titan_config", "amazon.titan-text-lite-v1", R"({"textGenerationConfig":{"topP":1}})", ""},
    {"titan_unknown", "amazon.titan-text-lite-v1", R"({"x":1})", not_permitted},
    {"j2_penalty", "ai21.j2-mid-v1", R"({"countPenalty":{"scale":0.5}})", ""},
    {"j2_unknown", "ai21.j2-mid-v1", R"({"x":1})", not_permitted},
    {"openai_effort", "openai.gpt-oss-20b-1:0", R"({"reasoning_effort":"high","seed":7})", ""},
    {"openai_null", "qwen.qwen3-32b-v1:0", R"({"top_k":null})", ""},
    {"openai_no_effort", "openai.gpt-oss-20b-1:0", R"({"reasoning_effort":"much"})",
     "Malformed input request: #/reasoning_effort: much is not a valid enum value"},
    {"openai_messages", "openai.gpt-oss-20b-1:0", R"({"messages":[]})",
     "Malformed input request: #: extraneous key [messages]"},
    {"openai_unknown", "deepseek.v3-v1:0", R"({"x":1})", not_permitted},
    {"nova_config", "amazon.nova-lite-v1:0", R"({"inferenceConfig":{"topK":20}})", ""},
    {"nova_2_thinking", "amazon.nova-2-lite-v1:0",
     R"({"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}})", ""},
    {"nova_1_thinking", "amazon.nova-lite-v1:0", R"({"reasoningConfig":{"type":"enabled"}})",
     "Malformed input request: #: extraneous key [reasoningConfig]"},
    {"nova_unknown", "amazon.nova-lite-v1:0", R"({"x":1})", not_permitted},
    {"command_r_k", "cohere.command-r-v1:0", R"({"k":5,"documents":[{"t":"x"}]})", ""},
    {"command_r_queries", "cohere.command-r-v1:0", R"({"search_queries_only":true})",
     "search_queries_only: not supported"},
    {"command_r_unknown", "cohere.command-r-v1:0", R"({"x":1})", not_permitted},
    {"jamba_penalty", "ai21.jamba-1-5-mini-v1:0", R"({"presence_penalty":0.5})", ""},
    {"jamba_two", "ai21.jamba-1-5-mini-v1:0", R"({"n":2})",
     "Malformed input request: #/n: 2 is not less or equal to 1"},
    {"jamba_unknown", "ai21.jamba-1-5-mini-v1:0", R"({"x":1})", not_permitted},
    {"r1_nothing", "deepseek.r1-v1:0", "{}", ""},
    {"r1_unknown", "deepseek.r1-v1:0", R"({"x":1})", not_permitted},
};

/// Of a conversation by Converse: a question, a limit, a tool.
NativeRequest converse_request() {
  NativeRequest request;
  request.conversation.turns = {Turn{Role::user, {TextBlock{"Hi"}}}};
  request.conversation.sampling.tokens_max = 2000;
  request.conversation.tools.offered = {{"f", "", R"({"type":"object"})"}};
  return request;
}

Result<NativeRequest> with_additional(std::string_view model_id, std::string_view fields) {
  NativeRequest request = converse_request();
  CRATON_TRY(chat_family_of(model_id)->apply_additional(
      {model_id, 200'000, 64'000}, json::parse(fields)->get_object(), request));
  return request;
}

TEST(AdditionalFields, AreHeldAgainstASchemaOfTheirOwn) {
  for (const Additional& row : additionals) {
    const Result<NativeRequest> request = with_additional(row.model_id, row.fields);
    EXPECT_EQ(request.has_value(), row.error.empty()) << row.name;
    const std::string error = request ? "" : request.error().message;
    EXPECT_TRUE(error.starts_with(row.error)) << row.name << ": " << error;
  }
}

TEST(AdditionalFields, AreAppliedToTheRequest) {
  const auto claude = with_additional(
      sonnet_3_7,
      R"({"thinking":{"type":"enabled","budget_tokens":1024},"metadata":{"user_id":"u"},)"
      R"("tools":[{"type":"bash_20250124","name":"bash"}],"stop_sequences":["END"]})");
  ASSERT_TRUE(claude);
  const Conversation& conversation = claude->conversation;
  EXPECT_EQ(conversation.reasoning, (Reasoning{true, 1024}));
  EXPECT_EQ(conversation.sampling.tokens_max, 2000);
  EXPECT_EQ(conversation.sampling.stop_sequences, std::vector<std::string>{"END"});
  ASSERT_EQ(conversation.tools.offered.size(), 2u);
  EXPECT_EQ(conversation.tools.offered.back().name, "bash");
  EXPECT_EQ(claude->ignored_fields, std::vector<std::string>{"metadata"});

  const auto cohere =
      with_additional("cohere.command-text-v14", R"({"k":7,"return_likelihoods":"ALL"})");
  EXPECT_EQ(cohere->conversation.sampling.top_k, 7);
  EXPECT_EQ(cohere->conversation.sampling.likelihoods, Likelihoods::none);
  EXPECT_EQ(cohere->ignored_fields, std::vector<std::string>{"return_likelihoods"});

  const auto gpt_oss = with_additional(
      "openai.gpt-oss-20b-1:0", R"({"reasoning_effort":"low","seed":7,"max_completion_tokens":9})");
  EXPECT_EQ(gpt_oss->conversation.reasoning, (Reasoning{true, 1024}));
  EXPECT_EQ(gpt_oss->conversation.sampling.seed, 7u);
  EXPECT_EQ(gpt_oss->conversation.sampling.tokens_max, 9);

  const auto nova =
      with_additional("amazon.nova-2-lite-v1:0",
                      R"({"inferenceConfig":{"topK":20},"reasoningConfig":{"type":"enabled"}})");
  EXPECT_EQ(nova->conversation.sampling.top_k, 20);
  EXPECT_EQ(nova->conversation.sampling.tokens_max, 2000);
  EXPECT_TRUE(nova->conversation.reasoning.wanted);

  const auto j2 = with_additional("ai21.j2-mid-v1", R"({"countPenalty":{"scale":0.5}})");
  EXPECT_EQ(j2->conversation.sampling.frequency_penalty, 0.5);
}

TEST(AdditionalFields, CannotUnseeTurnsWithoutThoughts) {
  NativeRequest request = converse_request();
  request.conversation.turns.push_back({Role::assistant, {ToolUseBlock{"a", "f", "{}"}}});
  request.conversation.turns.push_back({Role::user, {ToolResultBlock{"a", {}, false}}});
  const auto fields =
      json::parse(R"({"thinking":{"type":"enabled","budget_tokens":1024}})")->get_object();
  const auto applied =
      chat_family_of(sonnet_3_7)->apply_additional({sonnet_3_7, {}, {}}, fields, request);
  ASSERT_FALSE(applied);
  EXPECT_TRUE(applied.error().message.starts_with(
      "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
      "`tool_use`."));
}

// Of the families whose models all have ended, which no route reaches any more.
TEST(Families, ThatStreamByTheRouteAloneKnowNoStreamMember) {
  const std::pair<std::string_view, std::string_view> bodies[] = {
      {"ai21.jamba-1-5-mini-v1:0",
       R"({"messages":[{"role":"user","content":"Hi"}],"stream":true})"},
      {"cohere.command-r-v1:0", R"({"message":"Hi","stream":true})"},
  };
  for (const auto& [id, body] : bodies) {
    const auto request = family_of(id, body)->parse({id, 4096, 4096}, body);
    ASSERT_FALSE(request) << id;
    EXPECT_EQ(request.error().message,
              "Malformed input request: #: extraneous key [stream] is not permitted, please "
              "reformat your input and try again.");
  }
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
  EXPECT_FALSE(splits_cached_tokens("anthropic.claude-opus-4-1-20250805-v1:0"));
  EXPECT_TRUE(splits_cached_tokens("anthropic.claude-haiku-4-5-20251001-v1:0"));
  EXPECT_FALSE(reads_large_documents("anthropic.claude-3-7-sonnet-20250219-v1:0"));
  EXPECT_TRUE(reads_large_documents("anthropic.claude-opus-4-20250514-v1:0"));
  EXPECT_FALSE(takes_one_of_temperature_and_top_p("anthropic.claude-opus-4-1-20250805-v1:0"));
  EXPECT_TRUE(takes_one_of_temperature_and_top_p("anthropic.claude-sonnet-4-5-20250929-v1:0"));
  EXPECT_TRUE(takes_one_of_temperature_and_top_p("anthropic.claude-fable-5"));
  EXPECT_FALSE(takes_tools("anthropic.claude-v2:1"));
  EXPECT_TRUE(takes_tools("anthropic.claude-3-haiku-20240307-v1:0:48k"));
  EXPECT_FALSE(thinks("anthropic.claude-3-5-sonnet-20241022-v2:0"));
  EXPECT_TRUE(thinks("anthropic.claude-sonnet-4-20250514-v1:0"));
  EXPECT_FALSE(thinks_adaptively("anthropic.claude-opus-4-5-20251101-v1:0"));
  EXPECT_TRUE(thinks_adaptively("anthropic.claude-opus-4-6-v1"));
  EXPECT_FALSE(takes_output_config("anthropic.claude-opus-4-1-20250805-v1:0"));
  EXPECT_TRUE(takes_output_config("anthropic.claude-opus-4-5-20251101-v1:0"));
  EXPECT_FALSE(tells_full_context("anthropic.claude-opus-4-1-20250805-v1:0"));
  EXPECT_TRUE(tells_full_context("anthropic.claude-haiku-4-5-20251001-v1:0"));
  EXPECT_TRUE(is_completion_claude("anthropic.claude-v2:1"));
  EXPECT_FALSE(is_completion_claude("anthropic.claude-3-haiku-20240307-v1:0"));
}

}  // namespace
}  // namespace craton::families
