#include "engines/llama/schema_grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/json.h"

namespace craton::engines::llama {
namespace {

using testing::HasSubstr;

Result<GrammarRoot> root_of(std::string_view schema, SchemaRoot root = SchemaRoot::any) {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  CRATON_TRY_ASSIGN(const RuleId rule, add_schema(json, schema, root));
  CRATON_TRY_ASSIGN(auto grammar, builder.finish());
  return GrammarRoot{std::move(grammar), rule};
}

bool fits(const GrammarRoot& root, std::string_view text) {
  Matcher matcher(root);
  return matcher.advance(text) && matcher.may_end();
}

struct Case {
  const char* name;
  const char* schema;
  std::vector<const char*> fitting;
  std::vector<const char*> others;
};

const Case cases[] = {
    {"anything", "{}", {"1", "\"x\"", "null", "[1, {\"a\": []}]"}, {"", "x", "[1,]", "{\"a\"}"}},
    {"object",
     R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{"type":"boolean"}},"required":["b"]})",
     {R"({"b":"x"})", R"({"a": 1, "b": "x"})", R"({"b": "x", "c": true})",
      "{\n  \"a\": -5,\n  \"b\": \"\"\n}"},
     {"{}", R"({"a":1})", R"({"b":1})", R"({"a":1.5,"b":"x"})", R"({"b":"x",})",
      R"({"b":"x","d":1})"}},
    {"all_optional",
     R"({"properties":{"a":{},"b":{}}})",
     {"{}", R"({"a":1})", R"({"b":1})", R"({"a":1,"b":2})"},
     {R"({,"b":1})", R"({"a":1 "b":2})"}},
    {"required_without_property", R"({"required":["x"]})", {R"({"x": [1]})"}, {"{}"}},
    {"no_members", R"({"type":"object","additionalProperties":false})", {"{}"}, {R"({"a":1})"}},
    {"map",
     R"({"type":"object","additionalProperties":{"type":"integer"}})",
     {"{}", R"({"a":1, "b":2})"},
     {R"({"a":"x"})"}},
    {"enum",
     R"({"enum":["a","b\"c",3,null]})",
     {"\"a\"", "\"b\\\"c\"", "3", "null"},
     {"\"d\"", "30", "a"}},
    {"enum_of_type", R"({"type":"string","enum":["a",3]})", {"\"a\""}, {"3"}},
    {"const_value", R"({"const":{"a":[1,2]}})", {R"({"a":[1,2]})"}, {R"({"a":[1]})"}},
    {"types", R"({"type":["string","null"]})", {"\"x\"", "null"}, {"1"}},
    {"any_of",
     R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":2}]})",
     {"12", "\"ab\""},
     {"\"abc\"", "1.5"}},
    {"any_of_beside_members",
     R"({"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]})",
     {R"({"a":1})", R"({"b":1})"},
     {"{}"}},
    {"one_of",
     R"({"oneOf":[{"type":"object","properties":{"kind":{"const":"x"}},"required":["kind"]},{"type":"object","properties":{"kind":{"const":"y"},"n":{"type":"integer"}},"required":["kind","n"]}]})",
     {R"({"kind":"x"})", R"({"kind":"y","n":1})"},
     {R"({"kind":"y"})"}},
    {"all_of",
     R"({"allOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"b":{}},"required":["a"]}]})",
     {R"({"a":1})", R"({"a":1,"b":2})"},
     {R"({"b":2})"}},
    {"reference",
     R"({"$defs":{"n":{"type":"integer"}},"type":"array","items":{"$ref":"#/$defs/n"}})",
     {"[]", "[1, 2]"},
     {"[\"x\"]"}},
    {"recursive",
     R"({"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v"]}},"$ref":"#/$defs/node"})",
     {R"({"v":1})", R"({"v":1,"next":{"v":2,"next":null}})"},
     {R"({"v":1,"next":{"next":null}})"}},
    {"itself",
     R"({"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#"}}}})",
     {R"({"c":[{"c":[]},{}]})"},
     {R"({"c":[1]})"}},
    {"reference_with_more",
     R"({"$defs":{"s":{"type":"string"}},"$ref":"#/$defs/s","maxLength":1,"description":"d"})",
     {"\"a\""},
     {"\"ab\""}},
    {"array_bounds",
     R"({"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3})",
     {"[1,2]", "[1, 2, 3]"},
     {"[]", "[1]", "[1,2,3,4]"}},
    {"huge_bounds",
     R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":1000000000})",
     {"[1,2]"},
     {"[]"}},
    {"tuple",
     R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}]})",
     {"[1, \"x\"]"},
     {"[\"x\", 1]"}},
    {"lengths",
     R"({"type":"string","minLength":2,"maxLength":3})",
     {"\"ab\"", "\"가나다\"", "\"a\\n\\u00e9\"", "\"\\ud83d\\ude00b\""},
     {"\"a\"", "\"abcd\""}},
    {"strings",
     R"({"type":"string"})",
     {"\"\"", "\"\\\"\\\\/\"", "\"\\u0041 é 한 😀\""},
     {"\"", "\"\n\"", "\"\\x\"", "\"\\ud800\"", "\"\xff\"", "\"\xed\xa0\x80\""}},
    {"integers",
     R"({"type":"integer","minimum":-12,"maximum":305})",
     {"-12", "-9", "0", "7", "10", "99", "100", "299", "300", "305"},
     {"-13", "-20", "306", "310", "1000", "00", "-0", "1.0"}},
    {"integer_from", R"({"type":"integer","minimum":1})", {"1", "10", "12345"}, {"0", "-1"}},
    {"integer_below", R"({"type":"integer","exclusiveMaximum":10})", {"9", "-100"}, {"10"}},
    {"numbers",
     R"({"type":"number","minimum":0,"maximum":1})",
     {"0", "1", "0.5"},
     {"1.5", "-1", "1.0", "2"}},
    {"number_above_zero",
     R"({"type":"number","exclusiveMinimum":0})",
     {"0.5", "0.001", "3", "3.25"},
     {"0", "0.0", "-1"}},
    {"number_range",
     R"({"type":"number","minimum":-5.5,"maximum":7.5})",
     {"-5", "-4.9", "-0.3", "0", "6.9", "7"},
     {"-5.6", "7.6", "8"}},
    {"any_number", R"({"type":"number"})", {"-1.5e+10", "0", "12"}, {"01", "1.", "+1", "NaN"}},
    {"date",
     R"({"type":"string","format":"date"})",
     {"\"2026-11-30\"", "\"2024-02-28\""},
     {"\"2026-13-01\"", "\"2026-02-30\"", "\"x\""}},
    {"uuid",
     R"({"type":"string","format":"uuid"})",
     {"\"123e4567-e89b-12d3-a456-426614174000\""},
     {"\"1\""}},
    {"format_is_an_annotation", R"({"type":"string","format":"email"})", {"\"x\""}, {}},
    {"pattern",
     R"({"type":"string","pattern":"^[A-Z]{2,3}-\\d+(x|y)?$"})",
     {"\"AB-1\"", "\"ABC-123y\""},
     {"\"A-1\"", "\"AB-\"", "\"AB-1z\"", "\" AB-1\""}},
    {"pattern_anywhere",
     R"({"type":"string","pattern":"a.c"})",
     {"\"abc\"", "\"xxa한cyy\""},
     {"\"ac\"", "\"\""}},
    {"pattern_of_quotes",
     R"({"type":"string","pattern":"^[\"\\\\\\s]+$"})",
     {"\"\\\"\\\\\"", "\"\\n \""},
     {"\"a\""}},
    {"annotations",
     R"({"type":"integer","title":"t","description":"d","default":5,"examples":[1],"x-unknown":1})",
     {"5"},
     {"\"5\""}},
};

class SchemaGrammar : public testing::TestWithParam<Case> {};

TEST_P(SchemaGrammar, TakesWhatFitsAndNothingElse) {
  const auto root = root_of(GetParam().schema);
  ASSERT_TRUE(root) << root.error().message;
  for (const char* text : GetParam().fitting) EXPECT_TRUE(fits(*root, text)) << text;
  for (const char* text : GetParam().others) EXPECT_FALSE(fits(*root, text)) << text;
}

TEST_P(SchemaGrammar, LooksAheadAsItAdvances) {
  const auto root = root_of(GetParam().schema);
  ASSERT_TRUE(root);
  for (const std::string text : GetParam().fitting) {
    Matcher whole(*root);
    EXPECT_TRUE(whole.allows(text));
    for (const char byte : text) {
      EXPECT_TRUE(whole.allows({&byte, 1}));
      EXPECT_TRUE(whole.advance({&byte, 1}));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Keywords, SchemaGrammar, testing::ValuesIn(cases),
                         [](const auto& row) { return row.param.name; });

struct Refused {
  const char* name;
  std::string schema;
  const char* says;
};

std::string nested(int levels) {
  std::string schema = "{}";
  for (int i = 0; i < levels; ++i) schema = R"({"items":)" + schema + "}";
  return schema;
}

std::string chain(int links) {
  std::string schema = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < links; ++i) {
    schema +=
        "\"d" + std::to_string(i) + R"(":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"},";
  }
  return schema + "\"d" + std::to_string(links) + R"(":{"type":"string"}}})";
}

const Refused refused[] = {
    {"no_json", "{", "not JSON"},
    {"no_object", "[]", "not an object"},
    {"negation", R"({"not":{"type":"string"}})", "'not'"},
    {"inner_negation", R"({"properties":{"a":{"not":{}}}})", "'not'"},
    {"unique", R"({"type":"array","uniqueItems":true})", "'uniqueItems'"},
    {"remote", R"({"$ref":"https://example.com/schema.json"})", "'$ref'"},
    {"file", R"({"$ref":"other.json#/x"})", "'$ref'"},
    {"nowhere", R"({"$ref":"#/$defs/x"})", "'$ref'"},
    {"circle",
     R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"})",
     "begins with itself"},
    {"itself_alone", R"({"$ref":"#"})", "begins with itself"},
    {"any_of_itself", R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})", "begins with itself"},
    {"endless", R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})",
     "never be complete"},
    {"all_of_itself", R"({"allOf":[{"$ref":"#"}]})", "too"},
    {"overlapping", R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "'oneOf'"},
    {"multiple", R"({"type":"integer","multipleOf":3})", "'multipleOf'"},
    {"look_ahead", R"re({"type":"string","pattern":"^(?=x)"})re", "'pattern'"},
    {"back_reference", R"re({"type":"string","pattern":"(a)\\1"})re", "'pattern'"},
    {"repeated_nothing", R"re({"type":"string","pattern":"^(a*)*$"})re", "may be nothing"},
    {"wrong_type", R"({"type":"banana"})", "'type'"},
    {"wrong_bound", R"({"type":"string","maxLength":-1})", "'maxLength'"},
    {"crossed_bounds", R"({"type":"integer","minimum":3,"maximum":2})", "'maximum'"},
    {"contradiction", R"({"allOf":[{"type":"string"},{"type":"integer"}]})", "'type'"},
    {"no_values", R"({"enum":[]})", "'enum'"},
    {"impossible_member", R"({"properties":{"a":false},"required":["a"]})", ""},
    {"deep", nested(62), ""},
    {"long_chain", chain(5000), "too deeply"},
    {"megabytes", R"({"description":")" + std::string(300'000, 'x') + "\"}", "too large"},
};

class RefusedSchema : public testing::TestWithParam<Refused> {};

TEST_P(RefusedSchema, IsRefusedAndSaysWhy) {
  const auto root = root_of(GetParam().schema);
  if (GetParam().name == std::string("deep")) return;  // fits: it must only not break anything
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, ErrorCode::validation);
  EXPECT_THAT(root.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Schemas, RefusedSchema, testing::ValuesIn(refused),
                         [](const auto& row) { return row.param.name; });

TEST(SchemaGrammar, WantsAnObjectWhereOneIsNeeded) {
  EXPECT_TRUE(fits(*root_of("{}", SchemaRoot::object), "{}"));
  EXPECT_FALSE(fits(*root_of("{}", SchemaRoot::object), "[]"));
  EXPECT_FALSE(root_of(R"({"type":"string"})", SchemaRoot::object));
}

// Two alternatives that look alike double the readings with each level.
TEST(SchemaGrammar, StaysQuickWhateverTheSchema) {
  const char* hostile[] = {
      R"({"anyOf":[{"type":"array","items":{"$ref":"#"}},{"type":"array","items":{"$ref":"#"}}]})",
      R"({"type":"array","items":{"type":"string","pattern":"^(a|a|aa|aaa)+(b|[a-z]|a[a-z]*)*c$"}})",
      R"({"type":"array","items":{"type":"array","items":{"type":"array","minItems":5000,"maxItems":900000000}}})"};
  const std::string texts[] = {std::string(4000, '['), "[\"" + std::string(4000, 'a'),
                               "[[" + std::string(4000, '[')};
  for (std::size_t i = 0; i < std::size(hostile); ++i) {
    const auto root = root_of(hostile[i]);
    if (!root) continue;
    const auto started = std::chrono::steady_clock::now();
    Matcher matcher(*root);
    matcher.advance(texts[i]);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20)) << i;
  }
}

}  // namespace
}  // namespace craton::engines::llama
