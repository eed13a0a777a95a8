#include <gtest/gtest.h>

#include <string>

#include "api/operation.h"

namespace craton::api {
namespace {

/// "Name label=value …", or the error's type.
std::string routed(std::string_view method, std::string_view target) {
  const Result<Match> match = route(method, target);
  if (!match) return std::string(shape_of(match.error().code).name);
  std::string text(match->operation->name);
  for (const auto& [label, value] : match->labels) text += " " + std::string(label) + "=" + value;
  return text;
}

/// The operation's template with each label replaced by what `value` gives for it.
template <class Value>
std::string filled(const Operation& operation, Value value) {
  std::string path;
  for (std::string_view rest = operation.uri; !rest.empty();) {
    if (rest.front() != '{') {
      path += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    const std::size_t end = rest.find('}');
    path += value(rest.substr(1, end - 1));
    rest.remove_prefix(end + 1);
  }
  return path;
}

std::string expected(const Operation& operation, std::string_view decoded) {
  std::string text(operation.name);
  std::string_view rest = operation.uri;
  for (std::size_t at = rest.find('{'); at != std::string_view::npos; at = rest.find('{')) {
    const std::size_t end = rest.find('}');
    text += " " + std::string(rest.substr(at + 1, end - at - 1)) + "=" + std::string(decoded);
    rest.remove_prefix(end + 1);
  }
  return text;
}

TEST(Router, KnowsThe119OperationsOfBothServices) {
  EXPECT_EQ(operations().size(), 119u);
  const auto runtime =
      std::ranges::count(operations(), Service::bedrock_runtime, &Operation::service);
  EXPECT_EQ(runtime, 11);
}

class EveryOperation : public testing::TestWithParam<const Operation*> {};

TEST_P(EveryOperation, IsRoutedByItsOwnTemplate) {
  const Operation& operation = *GetParam();
  const auto plain = [](std::string_view) { return "abc123def456"; };
  EXPECT_EQ(routed(operation.method, filled(operation, plain)),
            expected(operation, "abc123def456"));
}

TEST_P(EveryOperation, TakesAnEncodedArn) {
  const Operation& operation = *GetParam();
  const auto encoded = [](std::string_view) {
    return "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Athing%2Fabc";
  };
  EXPECT_EQ(routed(operation.method, filled(operation, encoded)),
            expected(operation, "arn:aws:bedrock:us-east-1:123456789012:thing/abc"));
}

TEST_P(EveryOperation, TakesAnArnWithBareSlashes) {
  const Operation& operation = *GetParam();
  const std::string arn = "arn:aws:bedrock:us-east-1:123456789012:thing/abc/0123";
  const auto bare = [&](std::string_view) { return arn; };
  EXPECT_EQ(routed(operation.method, filled(operation, bare)), expected(operation, arn));
}

TEST_P(EveryOperation, IsFoundByName) {
  EXPECT_EQ(find_operation(GetParam()->name), GetParam());
  EXPECT_EQ(find_operation(std::string(GetParam()->name) + "s"), nullptr);
}

TEST_P(EveryOperation, IsUnknownWithAnotherMethodOrATail) {
  const Operation& operation = *GetParam();
  const auto plain = [](std::string_view) { return "abc123def456"; };
  const std::string path = filled(operation, plain);
  EXPECT_EQ(routed("TRACE", path), "UnknownOperationException");
  EXPECT_EQ(routed(operation.method, path + "/"), "UnknownOperationException");
  EXPECT_EQ(routed(operation.method, path + "/no/such/tail"), "UnknownOperationException");
}

std::vector<const Operation*> all() {
  std::vector<const Operation*> rows;
  for (const Operation& operation : operations()) rows.push_back(&operation);
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Api, EveryOperation, testing::ValuesIn(all()),
                         [](const auto& test) { return std::string(test.param->name); });

struct Case {
  const char* name;
  std::string_view method;
  std::string_view target;
  std::string_view routed;
};

const Case cases[] = {
    {"model_id_with_a_raw_colon", "POST", "/model/anthropic.claude-v2:1/invoke",
     "InvokeModel modelId=anthropic.claude-v2:1"},
    {"model_id_encoded", "POST", "/model/anthropic.claude-v2%3A1/invoke",
     "InvokeModel modelId=anthropic.claude-v2:1"},
    {"lower_case_escape", "POST", "/model/anthropic.claude-v2%3a1/converse",
     "Converse modelId=anthropic.claude-v2:1"},
    {"decoded_only_once", "POST", "/model/anthropic.claude-v2%253A1/invoke",
     "InvokeModel modelId=anthropic.claude-v2%3A1"},
    {"escaped_slash_does_not_separate", "POST", "/model/a%2Finvoke/invoke",
     "InvokeModel modelId=a/invoke"},
    {"empty_account_arn", "GET",
     "/foundation-models/arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2",
     "GetFoundationModel "
     "modelIdentifier=arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2"},
    {"query_is_no_part_of_the_path", "GET", "/foundation-models?byProvider=a/b",
     "ListFoundationModels"},
    {"empty_query", "GET", "/foundation-models?", "ListFoundationModels"},
    {"absolute_form", "GET", "http://localhost:8420/foundation-models?x=1", "ListFoundationModels"},
    {"singular_and_plural", "GET", "/model-invocation-jobs", "ListModelInvocationJobs"},
    {"literal_before_label", "POST", "/evaluation-jobs/batch-delete", "BatchDeleteEvaluationJob"},
    {"escape_that_is_none", "POST", "/model/100%/invoke", "InvokeModel modelId=100%"},
    {"byte_that_is_no_utf8", "POST", "/model/a%FFb/invoke",
     "InvokeModel modelId=a\xEF\xBF\xBD"
     "b"},
    {"empty_label", "POST", "/model//invoke", "UnknownOperationException"},
    {"slashes_outside_an_arn", "POST", "/model/a/b/invoke", "UnknownOperationException"},
    {"root", "GET", "/", "UnknownOperationException"},
    {"nothing", "GET", "", "UnknownOperationException"},
    {"star", "OPTIONS", "*", "UnknownOperationException"},
    {"no_slash", "GET", "foundation-models", "UnknownOperationException"},
    {"other_case", "GET", "/Foundation-Models", "UnknownOperationException"},
    {"lower_case_method", "get", "/foundation-models", "UnknownOperationException"},
};

class RouterCase : public testing::TestWithParam<Case> {};

TEST_P(RouterCase, IsRouted) {
  EXPECT_EQ(routed(GetParam().method, GetParam().target), GetParam().routed);
}

INSTANTIATE_TEST_SUITE_P(Api, RouterCase, testing::ValuesIn(cases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Router, AnswersAPathOfManySegmentsAtOnce) {
  std::string path = "/model";
  for (int i = 0; i < 30'000; ++i) path += "/arn:/invoke";
  EXPECT_EQ(routed("POST", path), "UnknownOperationException");
}

TEST(Router, NamesWhatWasAskedForShortly) {
  const Result<Match> match = route("GET", "/no/such?secret=1");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().message,
            "No operation of Amazon Bedrock is requested with GET /no/such.");
  EXPECT_LT(route("GET", "/" + std::string(100'000, 'x')).error().message.size(), 400u);
}

}  // namespace
}  // namespace craton::api
