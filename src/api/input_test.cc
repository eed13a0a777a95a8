#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <string>

#include "api/operation.h"
#include "api/shapes.h"
#include "api/validator.h"
#include "base/json.h"

namespace craton::api {
namespace {

using Headers = std::map<std::string, std::string, std::less<>>;

std::string_view find_header(const void* context, std::string_view name) {
  const auto& headers = *static_cast<const Headers*>(context);
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

Result<Input> parsed(std::string_view method, std::string_view target, std::string_view body = {},
                     const Headers& headers = {}) {
  const Result<Match> match = route(method, target);
  EXPECT_TRUE(match) << target;
  return parse_input(*match, RawInput{target, find_header, &headers, body});
}

/// The members as JSON text, or "Type: message".
std::string told(const Result<Input>& input) {
  if (input) return json::to_text(input->members);
  return std::string(shape_of(input.error().code).name) + ": " + input.error().message;
}

struct Case {
  const char* name;
  std::string_view method;
  std::string_view target;
  std::string_view body;
  std::string_view told;
};

constexpr std::string_view evaluation_pattern =
    "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:evaluation-job/[a-z0-9]{12})";

const Case cases[] = {
    {"nothing_asked", "GET", "/foundation-models", "", "{}"},
    {"query", "GET", "/foundation-models?byProvider=Mistral%20AI&byOutputModality=TEXT", "",
     R"({"byProvider":"Mistral AI","byOutputModality":"TEXT"})"},
    {"plus_is_a_space", "GET", "/foundation-models?byProvider=Mistral+AI", "",
     R"({"byProvider":"Mistral AI"})"},
    {"unknown_parameter", "GET", "/foundation-models?byColour=red&", "", "{}"},
    {"first_of_several", "GET", "/foundation-models?byProvider=Amazon&byProvider=Cohere", "",
     R"({"byProvider":"Amazon"})"},
    {"enum", "GET", "/foundation-models?byOutputModality=SMELL", "",
     "ValidationException: 1 validation error detected: Value 'SMELL' at 'byOutputModality' failed "
     "to satisfy constraint: Member must satisfy enum value set: [EMBEDDING, IMAGE, TEXT]"},
    {"two_errors", "GET", "/foundation-models?byProvider=a_b&byInferenceType=FREE", "",
     "ValidationException: 2 validation errors detected: Value 'a_b' at 'byProvider' failed to "
     "satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9- ]{1,63}; "
     "Value 'FREE' at 'byInferenceType' failed to satisfy constraint: Member must satisfy enum "
     "value set: [ON_DEMAND, PROVISIONED]"},
    {"integer", "GET", "/inference-profiles?maxResults=7", "", R"({"maxResults":7})"},
    {"integer_too_small", "GET", "/inference-profiles?maxResults=0", "",
     "ValidationException: 1 validation error detected: Value '0' at 'maxResults' failed to "
     "satisfy "
     "constraint: Member must have value greater than or equal to 1"},
    {"integer_too_large", "GET", "/inference-profiles?maxResults=1001", "",
     "ValidationException: 1 validation error detected: Value '1001' at 'maxResults' failed to "
     "satisfy constraint: Member must have value less than or equal to 1000"},
    {"integer_that_is_none", "GET", "/inference-profiles?maxResults=many", "",
     "SerializationException: STRING_VALUE at 'maxResults' can not be converted to an Integer"},
    {"integer_past_its_type", "GET", "/inference-profiles?maxResults=99999999999", "",
     "SerializationException: NUMBER_VALUE at 'maxResults' can not be converted to an Integer"},
    {"time", "GET", "/evaluation-jobs?creationTimeAfter=2026-11-23T00%3A00%3A00Z", "",
     R"({"creationTimeAfter":"2026-11-23T00:00:00Z"})"},
    {"time_that_is_none", "GET", "/evaluation-jobs?creationTimeAfter=yesterday", "",
     "SerializationException: STRING_VALUE at 'creationTimeAfter' can not be converted to a "
     "Timestamp"},
    {"label_and_length", "GET", "/foundation-models/no%20spaces", "",
     "ValidationException: 1 validation error detected: Value 'no spaces' at 'modelIdentifier' "
     "failed to satisfy constraint: Member must satisfy regular expression pattern: "
     "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}::foundation-model/"
     "[a-z0-9-]{1,63}[.]{1}([a-z0-9-]{1,"
     "63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2})|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}(["
     ".]"
     "?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})"},
    {"body", "POST", "/tagResource",
     R"({"resourceARN":"arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",)"
     R"("tags":[{"key":"a","value":"b"}],"unknown":1})",
     R"({"resourceARN":"arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",)"
     R"("tags":[{"key":"a","value":"b"}]})"},
    {"nothing_of_what_is_required", "POST", "/tagResource", "",
     "ValidationException: 2 validation errors detected: Value null at 'resourceARN' failed to "
     "satisfy constraint: Member must not be null; Value null at 'tags' failed to satisfy "
     "constraint: Member must not be null"},
    {"null_is_absent", "POST", "/evaluation-jobs/batch-delete", R"({"jobIdentifiers":null})",
     "ValidationException: 1 validation error detected: Value null at 'jobIdentifiers' failed to "
     "satisfy constraint: Member must not be null"},
    {"list_length", "POST", "/evaluation-jobs/batch-delete", R"({"jobIdentifiers":[]})",
     "ValidationException: 1 validation error detected: Value '[]' at 'jobIdentifiers' failed to "
     "satisfy constraint: Member must have length greater than or equal to 1"},
    {"null_item", "POST", "/evaluation-jobs/batch-delete", R"({"jobIdentifiers":[null]})",
     "ValidationException: 1 validation error detected: Value null at 'jobIdentifiers.1.member' "
     "failed to satisfy constraint: Member must not be null"},
    {"not_json", "POST", "/tagResource", "{",
     "SerializationException: not valid JSON: incomplete "
     "JSON at byte 1"},
    {"no_object", "POST", "/tagResource", "[1]",
     "SerializationException: START_ARRAY at '/' can not be converted to a Structure"},
    {"wrong_type", "POST", "/tagResource", R"({"resourceARN":5})",
     "SerializationException: NUMBER_VALUE at 'resourceARN' can not be converted to a String"},
    {"wrong_item", "POST", "/tagResource", R"({"tags":[{},"b"]})",
     "SerializationException: STRING_VALUE at 'tags.2' can not be converted to a Structure"},
    {"runtime_bodies_are_not_repeated", "POST", "/model/anthropic.claude-v2/converse",
     R"({"inferenceConfig":{"temperature":2.5}})",
     "ValidationException: 1 validation error detected: Value at 'inferenceConfig.temperature' "
     "failed to satisfy constraint: Member must have value less than or equal to 1"},
    {"members_of_lists_count_from_one", "POST", "/model/anthropic.claude-v2/converse",
     R"({"messages":[{"role":"user","content":[{"text":"a"},{"image":{"format":"jpg","source":)"
     R"({"bytes":"aGk="}}}]}]})",
     "ValidationException: 1 validation error detected: Value at "
     "'messages.1.member.content.2.member.image.format' failed to satisfy constraint: Member must "
     "satisfy enum value set: [gif, jpeg, png, webp]"},
    {"blob_that_is_no_base64", "POST", "/model/anthropic.claude-v2/converse",
     R"({"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"%"}}}]}]})",
     "SerializationException: STRING_VALUE at 'messages.1.content.1.image.source.bytes' can not be "
     "converted to a Blob"},
};

class InputCase : public testing::TestWithParam<Case> {};

TEST_P(InputCase, IsReadOrRefused) {
  const Case& row = GetParam();
  EXPECT_EQ(told(parsed(row.method, row.target, row.body)), row.told);
}

INSTANTIATE_TEST_SUITE_P(Api, InputCase, testing::ValuesIn(cases),
                         [](const auto& test) { return std::string(test.param.name); });

// These identifiers are sensitive in the model: the text does not repeat them.
TEST(Input, ListsOfTextsAreToldTheirItemsConstraintsOnce) {
  EXPECT_EQ(
      told(parsed("POST", "/evaluation-jobs/batch-delete", R"({"jobIdentifiers":["a","b"]})")),
      "ValidationException: 1 validation error detected: Value at 'jobIdentifiers' "
      "failed to satisfy constraint: Member must satisfy constraint: [Member must have length "
      "less than or equal to 1011, Member must have length greater than or equal to 0, Member "
      "must satisfy regular expression pattern: " +
          std::string(evaluation_pattern) + "]");
}

TEST(Input, TakesAnOpaqueBodyAsItCame) {
  const std::string body = "\xff\x00{";
  const Result<Input> input = parsed("POST", "/model/anthropic.claude-v2/invoke", body,
                                     {{"Content-Type", "application/json"}, {"Accept", "*/*"}});
  ASSERT_TRUE(input) << told(input);
  EXPECT_EQ(input->payload, body);
  EXPECT_EQ(json::to_text(input->members),
            R"({"contentType":"application/json","accept":"*/*","modelId":"anthropic.claude-v2"})");
}

TEST(Input, HoldsHeadersAgainstTheirConstraints) {
  EXPECT_EQ(told(parsed("POST", "/model/anthropic.claude-v2/invoke", "{}",
                        {{"X-Amzn-Bedrock-Trace", "LOUD"}})),
            "ValidationException: 1 validation error detected: Value 'LOUD' at 'trace' failed to "
            "satisfy constraint: Member must satisfy enum value set: [DISABLED, ENABLED, "
            "ENABLED_FULL]");
}

TEST(Input, CountsCodePointsNotBytes) {
  const auto described = [](int length) {
    std::string text;
    for (int i = 0; i < length; ++i) text += "한";
    return R"({"name":"g","blockedInputMessaging":"x","blockedOutputsMessaging":"y","description":")" +
           text + "\"}";
  };
  EXPECT_TRUE(parsed("POST", "/guardrails", described(200)));
  EXPECT_NE(told(parsed("POST", "/guardrails", described(201)))
                .find("at 'description' failed to satisfy constraint: Member must have length less "
                      "than or equal to 200"),
            std::string::npos);
}

TEST(Input, RepeatsLittleOfWhatItRefuses) {
  const std::string name(1'000'000, '!');
  const Result<Input> input =
      parsed("POST", "/custom-models/create-custom-model", R"({"modelName":")" + name + "\"}");
  ASSERT_FALSE(input);
  EXPECT_LT(input.error().message.size(), 3 * repeated_value_max + 1000);
}

TEST(Input, ListsNoMoreViolationsThanItCanName) {
  std::string body = R"({"resourceARN":"x","tags":[)";
  for (int i = 0; i < 5000; ++i) body += std::string(i ? "," : "") + R"({"key":"","value":"!"})";
  const Result<Input> input = parsed("POST", "/tagResource", body + "]}");
  ASSERT_FALSE(input);
  EXPECT_TRUE(input.error().message.starts_with("1000")) << input.error().message.substr(0, 60);
  EXPECT_LT(input.error().message.size(), violations_max * 400);
}

/// The least value that a shape takes, made from its row; patterns are left to chance.
json::value least_of(const Shape& shape, int depth) {
  switch (shape.kind) {
    case Kind::structure: {
      json::object members;
      for (const Member& member : shape.members) {
        const bool wanted = member.required || (shape.is_union && members.empty());
        if (wanted && member.location == Location::body && depth < 20) {
          members[member.wire_name] = least_of(*member.shape, depth + 1);
        }
      }
      return members;
    }
    case Kind::list: {
      json::array items;
      for (int i = 0; i < shape.min.value_or(0); ++i)
        items.push_back(least_of(*shape.item, depth + 1));
      return items;
    }
    case Kind::map: {
      json::object entries;
      if (shape.min.value_or(0) > 0) entries["k"] = least_of(*shape.item, depth + 1);
      return entries;
    }
    case Kind::string:
      if (!shape.values.empty()) return json::value(shape.values.front());
      return json::value(
          std::string(static_cast<std::size_t>(std::max(1.0, shape.min.value_or(1))), '1'));
    case Kind::blob: return "aGVsbG8=";
    case Kind::boolean: return true;
    case Kind::timestamp: return "2026-11-23T00:00:00Z";
    case Kind::document: return json::object();
    default: return shape.min.value_or(1);
  }
}

class EveryInput : public testing::TestWithParam<const Operation*> {};

/// Text of the body's required members, without member `but`.
std::string body_without(const Operation& operation, std::string_view but) {
  json::object body = least_of(*operation.input, 0).get_object();
  body.erase(but);
  return json::to_text(body);
}

Result<Input> parsed_as(const Operation& operation, std::string_view body) {
  Match match{&operation, {}};
  for (const Member& member : operation.input->members) {
    if (member.location == Location::uri) match.labels.emplace_back(member.wire_name, "a");
  }
  std::string query = "/x?";
  for (const Member& member : operation.input->members) {
    if (member.location == Location::query && member.required) {
      const bool is_time = member.shape->kind == Kind::timestamp;
      query += std::string(member.wire_name) + (is_time ? "=2026-11-23T00:00:00Z&" : "=1&");
    }
  }
  const Headers none;
  return parse_input(match, RawInput{query, find_header, &none, body});
}

TEST_P(EveryInput, MissesEachRequiredMemberOfItsBodyByName) {
  const Operation& operation = *GetParam();
  for (const Member& member : operation.input->members) {
    if (!member.required || member.location != Location::body) continue;
    const std::string text = told(parsed_as(operation, body_without(operation, member.wire_name)));
    EXPECT_NE(text.find("Value null at '" + std::string(member.name) +
                        "' failed to satisfy constraint: Member must not be null"),
              std::string::npos)
        << text;
  }
}

TEST_P(EveryInput, MissesNothingWhenAllIsThere) {
  const std::string text = told(parsed_as(*GetParam(), body_without(*GetParam(), "")));
  EXPECT_EQ(text.find("must not be null"), std::string::npos) << text;
  EXPECT_EQ(text.find("SerializationException"), std::string::npos) << text;
  EXPECT_EQ(text.find("exactly one"), std::string::npos) << text;
}

TEST_P(EveryInput, RefusesAMemberOfAnotherType) {
  const Operation& operation = *GetParam();
  for (const Member& member : operation.input->members) {
    if (member.location != Location::body || member.shape->kind == Kind::document) continue;
    json::object body = least_of(*operation.input, 0).get_object();
    const bool takes_objects =
        member.shape->kind == Kind::structure || member.shape->kind == Kind::map;
    body[member.wire_name] = takes_objects ? json::value(true) : json::value(json::object());
    EXPECT_TRUE(
        told(parsed_as(operation, json::to_text(body))).starts_with("SerializationException"))
        << member.name;
  }
}

std::vector<const Operation*> all() {
  std::vector<const Operation*> rows;
  for (const Operation& operation : operations()) rows.push_back(&operation);
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Api, EveryInput, testing::ValuesIn(all()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace craton::api
