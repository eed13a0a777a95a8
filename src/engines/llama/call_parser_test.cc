#include "engines/llama/call_parser.h"

#include <gtest/gtest.h>

#include <random>

#include "engines/llama/schema_grammar.h"

namespace craton::engines::llama {
namespace {

GrammarRoot root_of(std::string_view schema) {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  const RuleId rule = *add_schema(json, schema, SchemaRoot::object);
  return {*builder.finish(), rule};
}

CallPlan weather_and_time() {
  return {.tools = {{"get_weather", root_of(R"({"properties":{"city":{"type":"string"}}})")},
                    {"get_time", root_of(R"({"type":"object"})")}},
          .any_input = root_of(R"({"type":"object"})")};
}

/// What events say, adjacent deltas joined: `text`, `<name>`, `input`, `</>`.
std::string told(const std::vector<Event>& events) {
  std::string all;
  for (const Event& event : events) {
    if (const auto* text = std::get_if<TextDelta>(&event)) all += text->text;
    if (const auto* start = std::get_if<ToolUseStart>(&event)) all += "«" + start->name + "»";
    if (const auto* input = std::get_if<ToolInputDelta>(&event)) all += input->json;
    if (std::holds_alternative<ToolUseStop>(event)) all += "«»";
  }
  return all;
}

std::string parsed(std::string_view text, const CallPlan& plan = weather_and_time(),
                   std::size_t piece = 1 << 20) {
  CallParser parser(std::make_shared<const CallPlan>(plan));
  std::vector<Event> events;
  for (std::size_t at = 0; at < text.size(); at += piece)
    parser.add(text.substr(at, piece), events);
  parser.finish(events);
  return told(events);
}

struct Case {
  const char* name;
  const char* text;
  const char* told;
};

const Case cases[] = {
    {"plain", "Just text.", "Just text."},
    {"qwen",
     "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>",
     "«get_weather»{\"city\": \"Paris\"}«»"},
    {"text_before", "I'll look.\n<tool_call>{\"name\":\"get_time\",\"arguments\":{}}</tool_call>",
     "I'll look.\n«get_time»{}«»"},
    {"bare", R"({"name": "get_weather", "arguments": {"city": "서울"}})",
     R"(«get_weather»{"city": "서울"}«»)"},
    {"bare_parameters", R"({"name": "get_weather", "parameters": {"city": "Paris"}})",
     R"(«get_weather»{"city": "Paris"}«»)"},
    {"bare_input_and_id",
     R"({"type": "tool_use", "id": "t\"1", "name": "get_time", "input": {"a": [1, {}]}})",
     R"(«get_time»{"a": [1, {}]}«»)"},
    {"bare_second_line", "Sure:\n{\"name\": \"get_time\", \"arguments\": {}}",
     "Sure:\n«get_time»{}«»"},
    {"bare_in_a_line", R"(Say {"name": "get_time", "arguments": {}} to me)",
     R"(Say {"name": "get_time", "arguments": {}} to me)"},
    {"fenced", "```json\n{\"name\": \"get_time\", \"arguments\": {}}\n```", "«get_time»{}«»"},
    {"fenced_plain", "So:\n```\n{\"name\": \"get_time\", \"arguments\": {}}\n```\n",
     "So:\n«get_time»{}«»"},
    {"fenced_tag",
     "```xml\n<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>\n```",
     "«get_time»{}«»"},
    {"in_code", "```python\n{\"name\": \"get_time\", \"arguments\": {}}\n```\n",
     "```python\n{\"name\": \"get_time\", \"arguments\": {}}\n```\n"},
    {"behind_code", "```python\nx\n```\n{\"name\": \"get_time\", \"arguments\": {}}",
     "```python\nx\n```\n«get_time»{}«»"},
    {"fenced_other_json", "```json\n{\"city\": \"Paris\"}\n```\n",
     "```json\n{\"city\": \"Paris\"}\n```\n"},
    {"array",
     R"([{"name": "get_time", "arguments": {}}, {"name": "get_weather", "arguments": {"city": "x"}}])",
     R"(«get_time»{}«»«get_weather»{"city": "x"}«»)"},
    {"several",
     "<tool_call>{\"name\":\"get_time\",\"arguments\":{}}</tool_call>\n<tool_call>\n"
     "{\"name\":\"get_weather\",\"arguments\":{}}\n</tool_call>",
     "«get_time»{}«»«get_weather»{}«»"},
    {"several_bare",
     "{\"name\":\"get_time\",\"arguments\":{}}\n{\"name\":\"get_time\",\"arguments\":{\"a\":1}}",
     "«get_time»{}«»«get_time»{\"a\":1}«»"},
    {"several_fences",
     "```json\n{\"name\":\"get_time\",\"arguments\":{}}\n```\n\n```json\n"
     "{\"name\":\"get_time\",\"arguments\":{}}\n```",
     "«get_time»{}«»«get_time»{}«»"},
    {"text_behind", "{\"name\":\"get_time\",\"arguments\":{}}\n\nIt is noon.", "«get_time»{}«»"},
    {"mistral", R"([TOOL_CALLS] [{"name": "get_time", "arguments": {}}])", "«get_time»{}«»"},
    {"mistral_named", R"([TOOL_CALLS]get_weather[ARGS]{"city": "x"})",
     R"(«get_weather»{"city": "x"}«»)"},
    {"llama_tag", R"(<function=get_weather>{"city": "x"}</function>)",
     R"(«get_weather»{"city": "x"}«»)"},
    {"python_tag", R"(<|python_tag|>{"name": "get_time", "parameters": {}})", "«get_time»{}«»"},
    {"functools", R"(functools[{"name": "get_time", "arguments": {}}])", "«get_time»{}«»"},
    {"wrapped", R"({"type":"function","function":{"name":"get_time","arguments":{"a":"}"}}})",
     R"(«get_time»{"a":"}"}«»)"},
    {"arguments_first", R"({"arguments": {"city": "x"}, "name": "get_weather"})",
     R"(«get_weather»{"city": "x"}«»)"},
    {"unknown_tool", R"({"name": "get_news", "arguments": {}} yes)",
     R"({"name": "get_news", "arguments": {}} yes)"},
    {"unknown_tool_tag", "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>",
     "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>"},
    {"unknown_then_known", "<tool_call>x<tool_call>{\"name\":\"get_time\",\"arguments\":{}}",
     "<tool_call>x«get_time»{}«»"},
    {"part_of_a_name", R"({"name": "get_weathe", "arguments": {}})",
     R"({"name": "get_weathe", "arguments": {}})"},
    {"other_key", R"({"name": "get_time", "zone": {}})", R"({"name": "get_time", "zone": {}})"},
    {"no_input", R"({"name": "get_time"})", R"({"name": "get_time"})"},
    {"input_is_no_object", R"({"name": "get_time", "arguments": 5})",
     R"({"name": "get_time", "arguments": 5})"},
    {"broken_first_input", R"({"arguments": {x}, "name": "get_time"})",
     R"({"arguments": {x}, "name": "get_time"})"},
    {"never_begun", R"(<tool_call>{"name": "get_time", "argu)",
     R"(<tool_call>{"name": "get_time", "argu)"},
    {"only_an_opening", "<tool_call>", "<tool_call>"},
    {"a_bracket", "[", "["},
    {"list", "[1, 2]", "[1, 2]"},
    {"less_than", "a < b << <tool", "a < b << <tool"},
    {"html", "<table><tr>", "<table><tr>"},
    {"code_brace", "{ return x; }", "{ return x; }"},
};

class CallParserTable : public testing::TestWithParam<Case> {};

TEST_P(CallParserTable, TellsCallsFromText) { EXPECT_EQ(parsed(GetParam().text), GetParam().told); }

TEST_P(CallParserTable, TellsTheSameByteByByteAndHoweverItIsCut) {
  const std::string_view text = GetParam().text;
  for (std::size_t piece = 1; piece < 12; ++piece) {
    EXPECT_EQ(parsed(text, weather_and_time(), piece), GetParam().told) << piece;
  }
  std::minstd_rand random(1);
  for (int round = 0; round < 50; ++round) {
    CallParser parser(std::make_shared<const CallPlan>(weather_and_time()));
    std::vector<Event> events;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % 20;
      parser.add(text.substr(at, size), events);
      at += size;
    }
    parser.finish(events);
    EXPECT_EQ(told(events), GetParam().told);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, CallParserTable, testing::ValuesIn(cases),
                         [](const auto& row) { return row.param.name; });

TEST(CallParser, EndsWithTheFirstCallWhereOnlyOneIsAllowed) {
  CallPlan plan = weather_and_time();
  plan.parallel = false;
  CallParser parser(std::make_shared<const CallPlan>(plan));
  std::vector<Event> events;
  parser.add(R"([{"name": "get_time", "arguments": {}})", events);
  EXPECT_TRUE(parser.ended());
  EXPECT_TRUE(parser.calls_are_complete());
  parser.add(R"(, {"name": "get_time", "arguments": {}}])", events);
  parser.finish(events);
  EXPECT_EQ(told(events), "«get_time»{}«»");
}

TEST(CallParser, GivesTheInputOutAsItComes) {
  CallParser parser(std::make_shared<const CallPlan>(weather_and_time()));
  std::vector<Event> events;
  parser.add(R"({"name": "get_weather", "arguments": )", events);
  EXPECT_EQ(told(events), "");
  parser.add(R"({"city": "Pa)", events);
  EXPECT_EQ(told(events), R"(«get_weather»{"city": "Pa)");
  EXPECT_TRUE(parser.in_input());
  EXPECT_FALSE(parser.calls_are_complete());
}

TEST(CallParser, HoldsBackOnlyWhatMayBeginACall) {
  CallParser parser(std::make_shared<const CallPlan>(weather_and_time()));
  std::vector<Event> events;
  parser.add("if a <", events);
  EXPECT_EQ(told(events), "if a ");
  parser.add("b {\"name\n{\"nam", events);
  EXPECT_EQ(told(events), "if a <b {\"name\n");
  parser.add("es\"", events);
  EXPECT_EQ(told(events), "if a <b {\"name\n{\"names\"");
}

TEST(CallParser, LetsNothingBreakTheInputOfACall) {
  CallParser parser(std::make_shared<const CallPlan>(weather_and_time()));
  std::vector<Event> events;
  EXPECT_TRUE(parser.allows("{ anything"));
  parser.add(R"({"name": "get_weather", "arguments")", events);
  EXPECT_TRUE(parser.allows(R"(: {"city)"));
  EXPECT_FALSE(parser.allows(R"(: {"town)"));
  EXPECT_TRUE(parser.allows(R"(: {}} and then)")) << "what comes behind is free";
  parser.add(": {", events);
  EXPECT_TRUE(parser.allows(R"("ci)"));
  EXPECT_FALSE(parser.allows(R"("to)"));
  EXPECT_FALSE(parser.allows("")) << "an invisible token would do nothing";
}

/// What was held for one call turns out to be none, and holds the beginning of another.
TEST(CallParser, LetsNothingBreakACallWithinWhatWasHeld) {
  CallParser parser(std::make_shared<const CallPlan>(weather_and_time()));
  std::vector<Event> events;
  parser.add(R"({"arguments": {"b":)"
             "\n"
             R"([{"function": {"name": "get_time", "arguments": {)",
             events);
  EXPECT_FALSE(parser.allows("x"));
  EXPECT_FALSE(parser.allows("1"));
  EXPECT_TRUE(parser.allows("}"));
  EXPECT_TRUE(events.empty());
}

TEST(CallParser, GoesOnFromACallThatThePromptBegan) {
  CallPlan plan = weather_and_time();
  plan.begun = true;
  plan.form = {.open = "@@@", .between = "\" with ", .own = true};
  EXPECT_EQ(parsed(R"(get_weather" with {"city": "x"})", plan), R"(«get_weather»{"city": "x"}«»)");
  EXPECT_EQ(parsed(R"(get_wea)", plan), "") << "the beginning of a call is no text";
}

TEST(CallParser, KnowsTheTemplatesOwnOpening) {
  CallPlan plan = weather_and_time();
  plan.form = {.open = "\n<|call|>{\"name\": \"", .own = true};
  EXPECT_EQ(parsed(R"(x <|call|>{"name": "get_time", "arguments": {}})", plan), "x «get_time»{}«»");
  EXPECT_TRUE(CallParser(std::make_shared<const CallPlan>(plan)).knows("<|call|>"));
}

}  // namespace
}  // namespace craton::engines::llama
