#include "service/service_metrics.h"

#include <gmock/gmock.h>

#include <string>

#include "metrics/exposition.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using namespace std::chrono_literals;
using Labels = std::vector<std::pair<std::string, std::string>>;

metrics::Exposition written(const ServiceMetrics& metrics) {
  metrics::Page page(metrics::Format::prometheus);
  metrics.write(page);
  auto read = metrics::read_page(page.take());
  if (!read) throw std::runtime_error(read.error().message);
  return *std::move(read);
}

/// The sum of the samples of `name` that have all of `labels`.
double value(const metrics::Exposition& page, std::string_view name, const Labels& labels = {}) {
  double sum = 0;
  for (const metrics::Sample& sample : page.samples) {
    bool all = sample.name == name;
    for (const auto& [label, wanted] : labels) all = all && sample.label(label) == wanted;
    if (all) sum += sample.value;
  }
  return sum;
}

TEST(ServiceMetrics, CountsRequestsByOperationAndStatus) {
  ServiceMetrics metrics;
  metrics.finished({.operation = "Converse", .status = 200, .error = {}, .took = 20ms});
  metrics.finished({.operation = "Converse", .status = 200, .error = {}, .took = 40ms});
  metrics.finished({.operation = "Converse", .status = 0, .error = "caller_left", .took = 1ms});
  metrics.finished({.operation = {}, .status = 400});
  const auto page = written(metrics);
  EXPECT_EQ(
      value(page, "craton_http_requests_total", {{"operation", "Converse"}, {"status", "200"}}), 2);
  EXPECT_EQ(value(page, "craton_http_requests_total", {{"status", "499"}}), 1);
  EXPECT_EQ(value(page, "craton_http_requests_total", {{"operation", "_OTHER"}, {"status", "400"}}),
            1);
  EXPECT_EQ(value(page, "craton_http_request_seconds_count"), 3);
  EXPECT_NEAR(value(page, "craton_http_request_seconds_sum"), 0.061, 1e-9);
  EXPECT_EQ(value(page, "gen_ai_server_request_duration_seconds_count"), 0);
}

TEST(ServiceMetrics, TellsAnswersThatFailFromThoseThatDoNot) {
  ServiceMetrics metrics;
  const AnswerLabels answer{"chat", "model-id", "weights"};
  metrics.finished({"InvokeModel", 200, {}, 5s, answer});
  metrics.finished({"InvokeModel", 429, "ThrottlingException", 1ms, answer});
  metrics.finished({"InvokeModelWithResponseStream", 200, "ModelTimeoutException", 1s, answer});
  metrics.finished({"InvokeModel", 400, "ValidationException", 1ms, {"chat", {}, {}}});
  const auto page = written(metrics);
  const std::string_view count = "gen_ai_server_request_duration_seconds_count";
  EXPECT_EQ(value(page, count, {{"error_type", ""}}), 1);
  EXPECT_EQ(value(page, count, {{"error_type", "ThrottlingException"}}), 1);
  EXPECT_EQ(value(page, count, {{"gen_ai_request_model", "_OTHER"}}), 1);
  EXPECT_EQ(value(page, count, {{"gen_ai_provider_name", "aws.bedrock"}}), 4);
  EXPECT_EQ(
      value(page, "craton_http_broken_streams_total", {{"error_type", "ModelTimeoutException"}}),
      1);
}

TEST(AnswerTimer, MeasuresTokensOfOneAnswer) {
  auto metrics = std::make_shared<ServiceMetrics>();
  const SteadyTime started = std::chrono::steady_clock::now() - 300ms;
  AnswerTimer timer(metrics, {"chat", "id", "weights"}, started, AnswerTimer::What::everything);
  timer.note(MessageStart{});
  timer.note(ReasoningDelta{"hm"});
  timer.note(TextDelta{"a", 2, {}});
  timer.note(TextDelta{"bcd", 5, {}});
  timer.note(ToolUseStart{"t"});
  timer.note(ToolUseStop{});
  timer.note(MessageStop{});
  timer.note(Usage{.input_tokens = 7, .output_tokens = 6, .cache_read_tokens = 100});
  const auto page = written(*metrics);
  EXPECT_EQ(value(page, "gen_ai_server_time_to_first_token_seconds_count"), 1);
  EXPECT_GE(value(page, "gen_ai_server_time_to_first_token_seconds_sum"), 0.3);
  EXPECT_EQ(value(page, "craton_inter_token_seconds_count"), 5);
  EXPECT_EQ(value(page, "gen_ai_server_time_per_output_token_seconds_count"), 1);
  EXPECT_EQ(value(page, "gen_ai_client_token_usage_sum", {{"gen_ai_token_type", "input"}}), 107);
  EXPECT_EQ(value(page, "gen_ai_client_token_usage_sum", {{"gen_ai_token_type", "output"}}), 6);
}

TEST(AnswerTimer, LeavesTimesOfFurtherAnswersOut) {
  auto metrics = std::make_shared<ServiceMetrics>();
  AnswerTimer timer(metrics, {"chat", "id", "weights"}, {}, AnswerTimer::What::tokens_alone);
  timer.note(TextDelta{"a", 1, {}});
  timer.note(TextDelta{"b", 2, {}});
  timer.note(Usage{.input_tokens = 7, .output_tokens = 2});
  const auto page = written(*metrics);
  EXPECT_EQ(value(page, "craton_inter_token_seconds_count"), 0);
  EXPECT_EQ(value(page, "gen_ai_server_time_to_first_token_seconds_count"), 0);
  EXPECT_EQ(value(page, "gen_ai_client_token_usage_count"), 1);
}

struct Way {
  const char* name;
  std::string_view target;
  std::string_view body;
  bool streamed;
  std::string_view operation;
  std::string_view gen_ai_operation;
  std::string_view model;
};

const Way ways[] = {
    {"Converse", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse",
     R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})", false, "Converse", "chat",
     "anthropic.claude-3-haiku-20240307-v1:0"},
    {"ConverseStream", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream",
     R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})", true, "ConverseStream", "chat",
     "anthropic.claude-3-haiku-20240307-v1:0"},
    {"InvokeModel", "/model/meta.llama3-8b-instruct-v1%3A0/invoke", R"({"prompt":"hi"})", false,
     "InvokeModel", "chat", "meta.llama3-8b-instruct-v1:0"},
    {"InvokeStream", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke-with-response-stream",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})",
     true, "InvokeModelWithResponseStream", "chat", "anthropic.claude-3-haiku-20240307-v1:0"},
    {"OpenAi", "/v1/chat/completions",
     R"({"model":"openai.gpt-oss-20b-1:0","messages":[{"role":"user","content":"hi"}]})", false,
     "openai.chat_completions", "chat", "openai.gpt-oss-20b-1:0"},
    {"Anthropic", "/anthropic/v1/messages",
     R"({"model":"anthropic.claude-3-haiku-20240307-v1:0","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]})",
     true, "anthropic.messages", "chat", "anthropic.claude-3-haiku-20240307-v1:0"},
};

class EveryWay : public ServiceTest, public testing::WithParamInterface<Way> {};

TEST_P(EveryWay, IsCounted) {
  const Way& way = GetParam();
  bind(saying("Hello there"));
  const Service service({}, catalogue, always(engine));
  {
    http::Request request{.method = "POST",
                          .target = std::string(way.target),
                          .headers = {},
                          .body = std::string(way.body),
                          .peer = {}};
    http::Response response =
        http::run_to_end(const_cast<Service&>(service).handle(std::move(request)));
    ASSERT_EQ(response.status, 200) << response.body;
    ASSERT_EQ(response.stream != nullptr, way.streamed);
    if (way.streamed) body_of(response);
  }
  const auto page = written(*service.metrics());
  const Labels answer{{"gen_ai_operation_name", std::string(way.gen_ai_operation)},
                      {"gen_ai_request_model", std::string(way.model)},
                      {"gen_ai_response_model", "script"},
                      {"error_type", ""}};
  EXPECT_EQ(value(page, "craton_http_requests_total",
                  {{"operation", std::string(way.operation)}, {"status", "200"}}),
            1);
  for (const char* name : {"gen_ai_server_request_duration_seconds_count",
                           "gen_ai_server_time_to_first_token_seconds_count",
                           "gen_ai_server_time_per_output_token_seconds_count"}) {
    EXPECT_EQ(value(page, name, answer), 1) << name;
  }
  EXPECT_EQ(value(page, "gen_ai_client_token_usage_sum", answer), 12 + 3);
  EXPECT_EQ(value(page, "craton_http_broken_streams_total"), 0);
}

INSTANTIATE_TEST_SUITE_P(Routes, EveryWay, testing::ValuesIn(ways),
                         [](const auto& row) { return std::string(row.param.name); });

class ServiceCounts : public ServiceTest {};

TEST_F(ServiceCounts, RequestsForModelsThatThereAreNotUnderOneLabel) {
  bind(saying("Hello"));
  Service service({}, catalogue, always(engine));
  for (const char* id : {"made.up-1", "made.up-2", "made.up-3"}) {
    http::Request request{.method = "POST",
                          .target = "/model/" + std::string(id) + "/converse",
                          .headers = {},
                          .body = R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})",
                          .peer = {}};
    http::run_to_end(service.handle(std::move(request)));
  }
  const auto page = written(*service.metrics());
  EXPECT_EQ(value(page, "gen_ai_server_request_duration_seconds_count",
                  {{"gen_ai_request_model", "_OTHER"},
                   {"gen_ai_response_model", ""},
                   {"error_type", "ValidationException"}}),
            3);
}

TEST_F(ServiceCounts, StreamsThatTheCallerLeaves) {
  bind(saying("Hello"));
  Service service({}, catalogue, always(engine));
  {
    http::Request request{.method = "POST",
                          .target = "/model/" + std::string(haiku) + "/converse-stream",
                          .headers = {},
                          .body = R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})",
                          .peer = {}};
    const http::Response response = http::run_to_end(service.handle(std::move(request)));
    ASSERT_TRUE(response.stream);
  }
  const auto page = written(*service.metrics());
  EXPECT_EQ(value(page, "craton_http_broken_streams_total", {{"error_type", "caller_left"}}), 1);
  EXPECT_EQ(
      value(page, "gen_ai_server_request_duration_seconds_count", {{"error_type", "caller_left"}}),
      1);
}

TEST_F(ServiceCounts, TokenCountsAndListsAsNoAnswers) {
  bind(saying("Hello"));
  Service service({}, catalogue, always(engine));
  http::run_to_end(service.handle(
      {.method = "GET", .target = "/foundation-models", .headers = {}, .body = {}, .peer = {}}));
  const auto page = written(*service.metrics());
  EXPECT_EQ(value(page, "craton_http_requests_total", {{"operation", "ListFoundationModels"}}), 1);
  EXPECT_EQ(value(page, "gen_ai_server_request_duration_seconds_count"), 0);
}

}  // namespace
}  // namespace craton::service
