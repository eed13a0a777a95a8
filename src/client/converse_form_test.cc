#include "client/converse_form.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "converse/reply.h"
#include "converse/request.h"
#include "converse/stream.h"
#include "converse/test_input.h"
#include "event_stream/message.h"

namespace craton::client {
namespace {

constexpr std::string_view sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

Conversation talk() {
  Conversation conversation;
  conversation.system = {{"Be brief."}};
  append_turn(conversation, Role::user, "What is the weather in Seoul?");
  Turn call{Role::assistant, {}};
  call.content.emplace_back(TextBlock{"Let me see."});
  call.content.emplace_back(ToolUseBlock{"tooluse_1", "weather", R"({"city":"서울"})"});
  conversation.turns.push_back(call);
  Turn result{Role::user, {}};
  result.content.emplace_back(ToolResultBlock{"tooluse_1", {TextBlock{"sunny"}}, true});
  conversation.turns.push_back(result);
  conversation.tools.offered = {{"weather", "Tells the weather",
                                 R"({"type":"object","properties":{"city":{"type":"string"}}})"}};
  conversation.tools.choice = ToolChoice::any;
  conversation.sampling.tokens_max = 100;
  conversation.sampling.temperature = 0.5;
  conversation.sampling.stop_sequences = {"END"};
  return conversation;
}

/// What a server reads in the input.
Result<converse::Request> read(json::object input) {
  const Result<json::object> members = converse::input_of(json::to_text(input));
  if (!members) return Error(members.error());
  return converse::read(*members, converse::model_named(sonnet), converse::Delivery::whole);
}

TEST(ConverseForm, AServerReadsTheSameConversation) {
  const Conversation conversation = talk();
  const auto input = converse_input(conversation, {});
  ASSERT_TRUE(input) << input.error().message;
  const auto request = read(*input);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->conversation(), conversation);
}

TEST(ConverseForm, CarriesMarksForTheCache) {
  Conversation conversation;
  conversation.system = {{"Be brief."}};
  append_turn(conversation, Role::user, "Hello");
  for (const Place place : {Place{0, 0}, Place{0, 1}, Place{1, 0}}) {
    mark_for_cache(conversation, place);
    const auto input = converse_input(conversation, {});
    ASSERT_TRUE(input);
    const auto request = read(*input);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_TRUE(request->conversation().caching);
  }
}

TEST(ConverseForm, CarriesWhatStandsBeside) {
  Conversation conversation;
  append_turn(conversation, Role::user, "Hello");
  conversation.format = ResponseFormat{R"({"type":"object"})"};
  const auto input =
      converse_input(conversation, {.additional_fields = R"({"top_k":5})", .service_tier = "flex"});
  ASSERT_TRUE(input);
  const auto request = read(*input);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->service_tier, "flex");
  EXPECT_EQ(request->additional_fields.at("top_k"), json::value(5));
  EXPECT_TRUE(request->conversation().format);
}

TEST(ConverseForm, DropsNothingSilently) {
  const std::pair<const char*, void (*)(Conversation&)> rows[] = {
      {"top_k", [](Conversation& c) { c.sampling.top_k = 5; }},
      {"seed", [](Conversation& c) { c.sampling.seed = 5; }},
      {"raw_completion", [](Conversation& c) { c.raw_completion = true; }},
      {"reasoning", [](Conversation& c) { c.reasoning.wanted = true; }},
  };
  for (const auto& [name, change] : rows) {
    Conversation conversation = talk();
    change(conversation);
    const auto input = converse_input(conversation, {});
    ASSERT_FALSE(input) << name;
    EXPECT_NE(input.error().message.find(name), std::string::npos) << input.error().message;
  }
}

Answer answer() {
  Answer made;
  made.content.emplace_back(TextBlock{"Let me see."});
  made.content.emplace_back(ToolUseBlock{"tooluse_1", "weather", R"({"city":"서울"})"});
  made.stop_reason = StopReason::tool_use;
  made.usage = {.input_tokens = 7, .output_tokens = 9};
  return made;
}

void expect_same(const Answer& read, const Answer& written) {
  ASSERT_EQ(read.content.size(), written.content.size());
  EXPECT_EQ(std::get<TextBlock>(read.content[0]), std::get<TextBlock>(written.content[0]));
  const auto& use = std::get<ToolUseBlock>(read.content[1]);
  EXPECT_EQ(use.name, "weather");
  EXPECT_EQ(use.input, R"({"city":"서울"})");
  EXPECT_NE(use.id, "");
  EXPECT_EQ(read.stop_reason, written.stop_reason);
  EXPECT_EQ(read.usage, written.usage);
}

TEST(ConverseForm, ReadsWhatAServerAnswers) {
  const auto reply = json::parse(converse::render({}, answer(), {}, Milliseconds(5)));
  ASSERT_TRUE(reply);
  const auto read = read_answer(reply->get_object());
  ASSERT_TRUE(read) << read.error().message;
  expect_same(*read, answer());
}

TEST(ConverseForm, ReadsWhatAServerStreams) {
  const std::vector<Event> events{
      MessageStart{},
      TextDelta{"Let me ", 0, {}},
      TextDelta{"see.", 0, {}},
      ToolUseStart{"weather", "tooluse_1"},
      ToolInputDelta{R"({"city":)"},
      ToolInputDelta{R"("서울"})"},
      ToolUseStop{},
      MessageStop{StopReason::tool_use, {}},
      Usage{.input_tokens = 7, .output_tokens = 9},
  };
  converse::StreamWriter writer(std::make_shared<converse::Request>(), {}, SteadyTime{});
  std::string frames;
  for (const Event& event : events) writer.write(event, frames);

  event_stream::Decoder decoder;
  decoder.feed(frames);
  EventReader reader;
  AnswerBuilder folded;
  while (true) {
    const auto message = decoder.next();
    ASSERT_TRUE(message);
    if (!*message) break;
    const std::string& type = (*message)->headers.at(0).value;
    auto some = reader.read(type, (*message)->payload);
    ASSERT_TRUE(some) << some.error().message;
    for (Event& event : *some) folded.add(std::move(event));
  }
  ASSERT_TRUE(folded.complete());
  expect_same(*folded.take(), answer());
}

TEST(ConverseForm, ReadsThoughtsWithTheirSeal) {
  EventReader reader;
  AnswerBuilder folded;
  for (const char* payload : {R"({"delta":{"reasoningContent":{"text":"Hm."}}})",
                              R"({"delta":{"reasoningContent":{"signature":"c2VhbA=="}}})"}) {
    const auto some = reader.read("contentBlockDelta", payload);
    ASSERT_TRUE(some);
    for (const Event& event : *some) folded.add(event);
  }
  folded.add(Usage{});
  const auto answer = folded.take();
  const auto& block = std::get<ReasoningBlock>(answer->content.at(0));
  EXPECT_EQ(block.text, "Hm.");
  EXPECT_EQ(block.signature, "c2VhbA==");
}

TEST(ConverseForm, RefusesWhatIsNoAnswer) {
  EXPECT_FALSE(read_answer({}));
  EXPECT_FALSE(read_answer({{"output", "text"}}));
  EventReader reader;
  EXPECT_FALSE(reader.read("contentBlockDelta", "{"));
  EXPECT_FALSE(reader.read("contentBlockDelta", "[]"));
  EXPECT_FALSE(reader.read("contentBlockDelta", "{}"));
  const auto unknown = reader.read("somethingNew", "{}");
  ASSERT_TRUE(unknown);
  EXPECT_TRUE(unknown->empty());
}

}  // namespace
}  // namespace craton::client
