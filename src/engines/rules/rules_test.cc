#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "engines/rules/json_path.h"
#include "engines/rules/matcher.h"
#include "engines/rules/template.h"
#include "engines/rules/text_condition.h"
#include "engines/rules/value.h"

namespace craton::engines::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Source source{"rules.yaml", {}};

std::string refusal_of(std::string_view yaml) {
  const Result<Value> value = read_yaml(yaml, source);
  return value ? "none" : value.error().message;
}

TEST(Value, RemembersLinesAndQuotes) {
  const Value value = *read_yaml("a: 1\nb:\n  - \"2\"\n  - ~\n", source);
  ASSERT_EQ(value.entries.size(), 2U);
  EXPECT_TRUE(value.entries[0].value.plain);
  EXPECT_FALSE(value.entries[1].value.items[0].plain);
  EXPECT_EQ(value.entries[1].value.items[0].line, 3);
  EXPECT_EQ(value.entries[1].value.items[1].kind, Value::Kind::null);
  EXPECT_EQ(json::to_text(to_json(value)), R"({"a":1,"b":["2",null]})");
}

TEST(Value, RefusesWhatIsNoTreeWithItsLine) {
  EXPECT_THAT(refusal_of("a: 1\na: 2"), HasSubstr("rules.yaml:2: 'a' is there twice"));
  EXPECT_THAT(refusal_of("a: [1, 2"), HasSubstr("rules.yaml:"));
  EXPECT_THAT(refusal_of("a: \"cut\n"), HasSubstr("illegal EOF in scalar"));
  EXPECT_THAT(refusal_of("? [a]\n: 1"), HasSubstr("expected a plain key"));
  EXPECT_THAT(refusal_of(std::string(400, '[')), HasSubstr("rules.yaml:"));
}

TEST(Value, BoundsWhatAliasesMultiply) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_THAT(refusal_of(text), HasSubstr("too much"));
  EXPECT_THAT(refusal_of("a: &a [*a]"), HasSubstr("nested too deeply"));
}

TEST(Value, WordsAreTheSameTree) {
  const Value value =
      *read_words("stall; at=3 ;match.model=a*;match.prompt.contains=x y", "fault", source);
  EXPECT_EQ(json::to_text(to_json(value)),
            R"({"fault":"stall","at":3,"match":{"model":"a*","prompt":{"contains":"x y"}}})");
  EXPECT_FALSE(read_words("a;b", "fault", source));
  EXPECT_FALSE(read_words("a=1;a.b=2", "fault", source));
  EXPECT_FALSE(read_words("a.b=1;a=2", "fault", source));
}

TEST(Value, TimesHaveUnits) {
  const auto time = [](std::string text) {
    Value value;
    value.kind = Value::Kind::text;
    value.text = std::move(text);
    const auto read = duration(source, value, "for");
    return read ? read->count() : -1;
  };
  EXPECT_EQ(time("250ms"), 250);
  EXPECT_EQ(time("1.5s"), 1500);
  EXPECT_EQ(time("2m"), 120'000);
  for (const char* wrong : {"", "5", "ms", "-1s", "2h", "61m", "1e9s", "."}) {
    EXPECT_EQ(time(wrong), -1) << wrong;
  }
}

TEST(JsonPath, FindsWhatItMeans) {
  const json::value root = *json::parse(R"({"a":[{"b":"x"},{"b":2},{"c":[true]}]})");
  const auto find = [&](std::string_view path) { return JsonPath::parse(path)->find(root); };
  EXPECT_THAT(find("a[0].b"), ElementsAre("x"));
  EXPECT_THAT(find("$.a[*].b"), ElementsAre("x", "2"));
  EXPECT_THAT(find("a[-1].c"), ElementsAre("[true]"));
  EXPECT_THAT(find("a[7].b"), ElementsAre());
  EXPECT_THAT(find("a.b"), ElementsAre());
}

TEST(JsonPath, RefusesWhatIsNone) {
  for (const char* wrong : {"", "$", "a.", ".a", "a[", "a[x]", "a[]", "a[0]b", "a..b", "a[1.5]"}) {
    EXPECT_FALSE(JsonPath::parse(wrong)) << wrong;
  }
}

class Asked : public testing::Test {
 protected:
  Asked() {
    conversation.system.push_back({"Be brief."});
    append_turn(conversation, Role::user, "The weather in Seoul?");
  }

  std::string filled(std::string_view text) {
    const Request request = this->request();
    RequestView view(request);
    const Groups groups{"weather in Seoul", "Seoul"};
    const Result<Template> made = Template::parse(text);
    return made ? made->fill({view, groups, 3}) : made.error().message;
  }

  bool fits(std::string_view yaml, Groups* groups = nullptr) {
    const Result<Matcher> matcher = Matcher::read(source, *read_yaml(yaml, source));
    EXPECT_TRUE(matcher) << matcher.error().message;
    const Request request = this->request();
    RequestView view(request);
    return matcher && matcher->fits(view, groups);
  }

  Request request() {
    return {.operation = "ConverseStream",
            .model_id = "anthropic.claude-3-haiku-20240307-v1:0",
            .streamed = true,
            .metadata = {{"team", "search"}},
            .conversation = conversation,
            .header = [](std::string_view name) -> std::optional<std::string_view> {
              if (name == "X-Team") return "search, ads";
              return std::nullopt;
            }};
  }

  Conversation conversation;
};

TEST_F(Asked, TemplatesAreFilled) {
  EXPECT_EQ(filled("{{ last_user_text }}|{{system_text}}|{{operation}}|{{call}}|{{turn}}"),
            "The weather in Seoul?|Be brief.|ConverseStream|3|1");
  EXPECT_EQ(filled("{{match.1}}{{match.9}}-{{metadata.team}}-{{json messages[0].role}}"),
            "Seoul-search-user");
  EXPECT_EQ(filled("no places, {\"json\": {}} and \\{{these}}"),
            "no places, {\"json\": {}} and {{these}}");
  EXPECT_THAT(filled("{{last_text}}"), HasSubstr("is no place"));
  EXPECT_THAT(filled("{{modl_id}}"), HasSubstr("did you mean 'model_id'?"));
  EXPECT_THAT(filled("{{model_id"), HasSubstr("without '}}'"));
  EXPECT_THAT(filled("{{match.x}}"), HasSubstr("group's number"));
}

TEST_F(Asked, ConditionsLookAtHeadersAndModelsLikeAtTexts) {
  EXPECT_TRUE(fits("{header: {X-Team: {contains: ads}}}"));
  EXPECT_TRUE(fits("{header: {X-Team: {exists: true}, X-None: {exists: false}}}"));
  EXPECT_FALSE(fits("{header: {X-Team: search}}"));
  EXPECT_FALSE(fits("{header: {X-None: ''}}"));
  EXPECT_TRUE(fits("{model: {regex: 'claude-3-[hs]'}}"));
  EXPECT_FALSE(fits("{model: {regex: '^claude'}}"));
  Groups groups;
  EXPECT_TRUE(
      fits("{model: {regex: 'claude-(\\d)'}, header: {X-Team: {regex: 'a(.)s'}}}", &groups));
  EXPECT_THAT(groups, ElementsAre("claude-3", "3", "ads", "d"));
  for (const char* wrong : {"{header: X-Team}", "{header: {X-Team: [a]}}", "{model: {regx: a}}",
                            "{header: {X-Team: {exists: maybe}}}"}) {
    EXPECT_FALSE(Matcher::read(source, *read_yaml(wrong, source))) << wrong;
  }
}

TEST_F(Asked, JsonTemplatesEscape) {
  append_turn(conversation, Role::user, "\"q\"");
  const Request request = this->request();
  RequestView view(request);
  const JsonTemplate made = *JsonTemplate::read(
      *json::parse(R"({"a":"{{last_user_text}}!","b":[1,"{{call}}",null],"c":{}})"));
  EXPECT_EQ(made.fill({view, {}, 2}),
            R"({"a":"The weather in Seoul?\"q\"!","b":[1,"2",null],"c":{}})");
}

TEST_F(Asked, ConditionsHoldTogether) {
  EXPECT_TRUE(fits("{}"));
  EXPECT_TRUE(fits("{operation: Converse*, model: [x, 'anthropic.*'], streamed: true, turn: 1}"));
  EXPECT_FALSE(fits("{operation: Converse}"));
  EXPECT_TRUE(fits("{prompt: ' The weather in Seoul? '}"));
  EXPECT_FALSE(fits("{prompt: The weather}"));
  EXPECT_TRUE(fits("{prompt: {contains: [weather, Seoul]}, system: {contains: brief}}"));
  EXPECT_FALSE(fits("{prompt: {contains: [weather, Busan]}}"));
  EXPECT_TRUE(fits("{metadata: {team: search}}"));
  EXPECT_FALSE(fits("{metadata: {team: other}}"));
  EXPECT_TRUE(fits("{json: {'messages[*].role': user, toolConfig: {exists: false}}}"));
  EXPECT_FALSE(fits("{tool-result: true}"));
  EXPECT_TRUE(fits("{tool-result: false}"));
  Groups groups;
  EXPECT_TRUE(fits("{prompt: {regex: 'in (\\w+)'}}", &groups));
  EXPECT_THAT(groups, ElementsAre("in Seoul", "Seoul"));
}

TEST_F(Asked, ResultsOfToolsAreFoundByTheirCalls) {
  conversation.turns.push_back({Role::assistant, {ToolUseBlock{"id1", "get_weather", "{}"}}});
  conversation.turns.push_back(
      {Role::user, {ToolResultBlock{"id1", {TextBlock{"21 degrees"}}, false}}});
  conversation.tools.offered.push_back({"get_weather", "", "{}"});
  EXPECT_TRUE(
      fits("{tool: get_*, tool-result: {name: get_weather, id: id1, text: {contains: '21'}}}"));
  EXPECT_FALSE(fits("{tool-result: {error: true}}"));
  EXPECT_TRUE(fits("{turn: 2, json: {'messages[2].content[0].toolResult.status': success}}"));
}

TEST(Matcher, RefusesWithTheNearestRightWord) {
  const auto refusal = [](std::string_view yaml) {
    const auto made = Matcher::read(source, *read_yaml(yaml, source));
    return made ? "none" : made.error().message;
  };
  EXPECT_THAT(refusal("promt: x"), HasSubstr("did you mean 'prompt'?"));
  EXPECT_THAT(refusal("operation: InvokModel"), HasSubstr("did you mean 'InvokeModel'?"));
  EXPECT_THAT(refusal("prompt: {regex: '(?=a)'}"), HasSubstr("RE2"));
  for (const char* call : {"0", "-1", "3-2", "x", "2-", "1 2"}) {
    EXPECT_THAT(refusal("call: " + std::string(call)), HasSubstr("call: expected")) << call;
  }
}

}  // namespace
}  // namespace craton::engines::rules
