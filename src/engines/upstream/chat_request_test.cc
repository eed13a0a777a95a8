#include "engines/upstream/chat_request.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/json.h"

namespace craton::engines::upstream {
namespace {

constexpr const ServerKind& vllm = server_kinds[0];
static_assert(vllm.name == "vllm");

Conversation asking(std::string text) {
  Conversation conversation;
  append_turn(conversation, Role::user, std::move(text));
  return conversation;
}

std::string body_of(const Conversation& conversation, ChatForm form = {.model = "m"}) {
  const auto body = chat_body(conversation, form);
  return body ? *body : body.error().message;
}

/// One member of the body, as JSON text.
std::string member(const Conversation& conversation, std::string_view name,
                   ChatForm form = {.model = "m"}) {
  const auto body = json::parse(body_of(conversation, form));
  const json::value* found = body->get_object().if_contains(name);
  return found ? json::to_text(*found) : "absent";
}

TEST(ChatRequest, IsStreamedWithItsUsage) {
  EXPECT_EQ(body_of(asking("hi")),
            R"({"model":"m","stream":true,"stream_options":{"include_usage":true},)"
            R"("messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(chat_path(asking("hi")), "/v1/chat/completions");
}

TEST(ChatRequest, HasTheWholeSampling) {
  Conversation conversation = asking("hi");
  conversation.sampling = {.tokens_max = 9,
                           .temperature = 0.5,
                           .top_p = 0.25,
                           .top_k = 7,
                           .frequency_penalty = 0.5,
                           .presence_penalty = -0.5,
                           .seed = 4294967295u,
                           .stop_sequences = {"a", "b"},
                           .likelihoods = Likelihoods::generated};
  const std::string body = body_of(conversation);
  EXPECT_NE(body.find(R"("max_tokens":9,"temperature":0.5,"top_p":0.25,"top_k":7,)"
                      R"("frequency_penalty":0.5,"presence_penalty":-0.5,"seed":4294967295,)"
                      R"("stop":["a","b"])"),
            body.npos)
      << body;
  EXPECT_EQ(member(conversation, "logprobs"), "true");
  conversation.sampling.top_k = 0;
  EXPECT_EQ(member(conversation, "top_k"), "-1") << "off, and not the server's default";
  EXPECT_EQ(member(conversation, "max_tokens", {.model = "m", .tokens_max = 3}), "3");
  conversation.sampling.likelihoods = Likelihoods::all;
  EXPECT_EQ(chat_body(conversation, {}).error().code, ErrorCode::validation);
}

TEST(ChatRequest, JoinsTheSystemsParagraphs) {
  Conversation conversation = asking("hi");
  conversation.system = {{"a"}, {"b"}};
  EXPECT_EQ(member(conversation, "messages"),
            R"([{"role":"system","content":"a\n\nb"},{"role":"user","content":"hi"}])");
}

TEST(ChatRequest, ShowsImagesAsDataUrls) {
  Conversation conversation = asking("what");
  conversation.turns[0].content.emplace_back(ImageBlock{"jpeg", "abc"});
  EXPECT_EQ(member(conversation, "messages"),
            R"([{"role":"user","content":[{"type":"text","text":"what"},{"type":"image_url",)"
            R"("image_url":{"url":"data:image/jpeg;base64,YWJj"}}]}])");
}

TEST(ChatRequest, TellsCallsAndTheirResults) {
  Conversation conversation = asking("weather?");
  conversation.turns.push_back(
      {Role::assistant,
       {ReasoningBlock{"hm", "", ""}, ToolUseBlock{"c1", "weather", R"({"city":"Rome"})"}}});
  ToolResultBlock result{"c1", {TextBlock{"sun"}, TextBlock{"26"}}, true};
  conversation.turns.push_back({Role::user, {TextBlock{"so?"}, result}});
  EXPECT_EQ(member(conversation, "messages"),
            R"([{"role":"user","content":"weather?"},{"role":"assistant","content":null,)"
            R"("reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":)"
            R"({"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]},)"
            R"({"role":"tool","tool_call_id":"c1","content":"Error: sun\n26"},)"
            R"({"role":"user","content":"so?"}])");
  std::get<ToolResultBlock>(conversation.turns[2].content[1]).content = {ImageBlock{"png", "x"}};
  const std::string messages = member(conversation, "messages");
  EXPECT_NE(messages.find("See the image that follows."), messages.npos);
  EXPECT_NE(messages.find(R"([{"type":"image_url")"), messages.npos) << messages;
}

TEST(ChatRequest, OffersTools) {
  Conversation conversation = asking("hi");
  conversation.tools.offered = {{"f", "does", R"({"type":"object"})"}};
  EXPECT_EQ(member(conversation, "tools"),
            R"([{"type":"function","function":{"name":"f","description":"does",)"
            R"("parameters":{"type":"object"}}}])");
  EXPECT_EQ(member(conversation, "tool_choice"), "absent");
  EXPECT_EQ(member(conversation, "parallel_tool_calls"), "absent");
  conversation.tools.choice = ToolChoice::any;
  EXPECT_EQ(member(conversation, "tool_choice"), "\"required\"");
  conversation.tools.choice = ToolChoice::none;
  EXPECT_EQ(member(conversation, "tool_choice"), "\"none\"");
  conversation.tools.choice = ToolChoice::named;
  conversation.tools.named = "f";
  conversation.tools.parallel = false;
  EXPECT_EQ(member(conversation, "tool_choice"), R"({"type":"function","function":{"name":"f"}})");
  EXPECT_EQ(member(conversation, "parallel_tool_calls"), "false");
}

TEST(ChatRequest, AsksForJson) {
  Conversation conversation = asking("hi");
  conversation.format.emplace();
  EXPECT_EQ(member(conversation, "response_format"), R"({"type":"json_object"})");
  conversation.format->schema = R"({"type":"object"})";
  EXPECT_EQ(member(conversation, "response_format"),
            R"({"type":"json_schema","json_schema":{"name":"answer","strict":true,)"
            R"("schema":{"type":"object"}}})");
  conversation.format->schema = "{";
  EXPECT_EQ(chat_body(conversation, {}).error().code, ErrorCode::validation);
}

TEST(ChatRequest, SwitchesThoughtsWhereTheServerCan) {
  Conversation conversation = asking("hi");
  EXPECT_EQ(member(conversation, "reasoning_effort"), "absent");
  EXPECT_EQ(member(conversation, "chat_template_kwargs"), "absent");
  EXPECT_EQ(member(conversation, "chat_template_kwargs", {"m", vllm}),
            R"({"enable_thinking":false,"thinking":false})");
  conversation.reasoning.wanted = true;
  EXPECT_EQ(member(conversation, "reasoning_effort"), "\"medium\"");
  EXPECT_EQ(member(conversation, "chat_template_kwargs", {"m", vllm}),
            R"({"enable_thinking":true,"thinking":true})");
  conversation.reasoning.budget_tokens = 1024;
  EXPECT_EQ(member(conversation, "reasoning_effort"), "\"low\"");
  conversation.reasoning.budget_tokens = 100'000;
  EXPECT_EQ(member(conversation, "reasoning_effort"), "\"high\"");
}

TEST(ChatRequest, GoesOnWithAnAnswerThatHasBegun) {
  Conversation conversation = asking("hi");
  append_turn(conversation, Role::assistant, "I");
  EXPECT_EQ(member(conversation, "continue_final_message"), "absent");
  EXPECT_EQ(member(conversation, "continue_final_message", {"m", vllm}), "true");
  EXPECT_EQ(member(conversation, "add_generation_prompt", {"m", vllm}), "false");
}

TEST(ChatRequest, CompletesRawPrompts) {
  Conversation conversation = asking("Once");
  conversation.raw_completion = true;
  EXPECT_EQ(chat_path(conversation), "/v1/completions");
  EXPECT_EQ(member(conversation, "prompt"), "\"Once\"");
  EXPECT_EQ(member(conversation, "messages"), "absent");
  conversation.turns[0].content.emplace_back(ImageBlock{"png", "x"});
  EXPECT_EQ(chat_body(conversation, {}).error().code, ErrorCode::validation);
}

TEST(ServerKind, IsToldByWhoOwnsTheModel) {
  EXPECT_EQ(server_kind_of("llamacpp").name, "llama-server");
  EXPECT_EQ(server_kind_of("system").name, "openai");
}

}  // namespace
}  // namespace craton::engines::upstream
