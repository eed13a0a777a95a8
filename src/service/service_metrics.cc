#include "service/service_metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

namespace craton::service {
namespace {

using metrics::Buckets;
using metrics::Label;
using metrics::Metric;
using metrics::Page;
using metrics::Type;
using std::chrono::steady_clock;

// Combinations of labels, at most. There are 119 operations, and each has a handful of statuses.
constexpr std::size_t operations_max = 160;
constexpr std::size_t requests_max = 1024;
constexpr std::size_t errors_max = 32;
constexpr std::size_t answers_max = 512;
constexpr std::size_t failures_max = 1024;
constexpr std::size_t throttled_max = 512;

// Source: the semantic conventions' advice for each.
constexpr std::array duration_bounds{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                     1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
constexpr std::array first_token_bounds{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                        0.25,  0.5,   0.75, 1.0,  2.5,  5.0,  7.5,  10.0};
constexpr std::array output_token_bounds{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                         0.3,  0.4,   0.5,  0.75,  1.0, 2.5};
constexpr std::array usage_bounds{1.,       4.,       16.,       64.,      256.,
                                  1024.,    4096.,    16384.,    65536.,   262144.,
                                  1048576., 4194304., 16777216., 67108864.};
// Ours: finer, as a gap is a token's, and down to what the control plane takes.
constexpr std::array inter_token_bounds{0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04,
                                        0.05,  0.075,  0.1,   0.15,   0.25, 0.5,   1.0,  2.5};
constexpr std::array request_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                    0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};

constexpr Buckets nanoseconds(std::span<const double> bounds) { return {bounds, 1e-9}; }

constexpr Metric requests_metric{"craton_http_requests_total", Type::counter,
                                 "Requests that are over, by operation and HTTP status."};
constexpr Metric seconds_metric{"craton_http_request_seconds", Type::histogram,
                                "From a whole request to its answer's last byte."};
constexpr Metric broken_metric{
    "craton_http_broken_streams_total", Type::counter,
    "Streamed answers that began with status 200 and were not finished."};
constexpr Metric throttled_metric{"craton_throttled_requests_total", Type::counter,
                                  "Requests that a quota refused, by quota and limit."};
constexpr Metric duration_metric{"gen_ai_server_request_duration_seconds", Type::histogram,
                                 "From a whole request to its answer's last byte, where a model "
                                 "is asked."};

/// A histogram of AnswerSeries, and how it is shown.
struct AnswerRow {
  Metric metric;
  metrics::Histogram AnswerSeries::* member;
};
constexpr std::array answer_rows{
    AnswerRow{{"gen_ai_server_time_to_first_token_seconds", Type::histogram,
               "From a whole request to the first token of its answer."},
              &AnswerSeries::time_to_first_token},
    AnswerRow{{"gen_ai_server_time_per_output_token_seconds", Type::histogram,
               "Mean time of an answer's tokens after the first."},
              &AnswerSeries::time_per_output_token},
    AnswerRow{{"craton_inter_token_seconds", Type::histogram,
               "Time between a token and the one before it."},
              &AnswerSeries::inter_token},
};
constexpr Metric usage_metric{"gen_ai_client_token_usage", Type::histogram,
                              "Tokens of a request's input and of an answer."};

/// Labels of `values`, in the order of AnswerLabels, and one more.
std::array<Label, 5> answer_labels(const std::vector<std::string>& values, Label more) {
  return {Label{"gen_ai_operation_name", values[0]}, Label{"gen_ai_provider_name", "aws.bedrock"},
          Label{"gen_ai_request_model", values[1]}, Label{"gen_ai_response_model", values[2]},
          more};
}

/// An HTTP status as a label.
class StatusText {
 public:
  /// Callers who leave early get none: 499, as nginx logs them.
  explicit StatusText(int status)
      : end_(std::to_chars(text_.begin(), text_.end(), status > 0 ? status : 499).ptr) {}
  std::string_view view() const { return {text_.data(), end_}; }

 private:
  std::array<char, 12> text_;
  const char* end_;
};

/// How many tokens `event` brings, beside the `before` that were read; 0: it brings none.
int tokens_of(const Event& event, int before) {
  if (const auto* text = std::get_if<TextDelta>(&event)) {
    return std::max(1, text->output_tokens - before);
  }
  const bool other = std::holds_alternative<ReasoningDelta>(event) ||
                     std::holds_alternative<ToolUseStart>(event) ||
                     std::holds_alternative<ToolInputDelta>(event);
  return other ? 1 : 0;
}

}  // namespace

AnswerSeries::AnswerSeries()
    : duration(nanoseconds(duration_bounds)),
      time_to_first_token(nanoseconds(first_token_bounds)),
      time_per_output_token(nanoseconds(output_token_bounds)),
      inter_token(nanoseconds(inter_token_bounds)),
      input_tokens({usage_bounds, 1}),
      output_tokens({usage_bounds, 1}) {}

ServiceMetrics::Seconds::Seconds() : histogram(nanoseconds(request_bounds)) {}
ServiceMetrics::Failed::Failed() : duration(nanoseconds(duration_bounds)) {}

ServiceMetrics::ServiceMetrics()
    : requests_(2, requests_max),
      seconds_(1, operations_max),
      broken_streams_(1, errors_max),
      answers_(3, answers_max),
      failed_(4, failures_max),
      throttled_(3, throttled_max) {}

void ServiceMetrics::finished(const FinishedRequest& request) {
  const std::string_view operation = known(request.operation);
  requests_.of({operation, StatusText(request.status).view()}).add();
  if (request.status == 200 && !request.error.empty()) broken_streams_.of({request.error}).add();
  if (!request.took) return;
  const std::int64_t took = request.took->count();
  seconds_.of({operation}).histogram.observe(took);
  const AnswerLabels& answer = request.answer;
  if (answer.operation.empty()) return;
  if (request.error.empty()) return answers(answer).duration.observe(took);
  failed_.of({answer.operation, known(answer.request_model), answer.response_model, request.error})
      .duration.observe(took);
}

void ServiceMetrics::write(Page& page) const {
  write_requests(page);
  write_throttled(page);
  write_durations(page);
  write_answers(page);
}

void ServiceMetrics::write_requests(Page& page) const {
  page.begin(requests_metric);
  requests_.each([&](const auto& values, const metrics::Counter& counter) {
    page.sample(std::array{Label{"operation", values[0]}, Label{"status", values[1]}},
                counter.value());
  });
  page.begin(seconds_metric);
  seconds_.each([&](const auto& values, const Seconds& seconds) {
    page.sample(std::array{Label{"operation", values[0]}}, seconds.histogram.read());
  });
  page.begin(broken_metric);
  broken_streams_.each([&](const auto& values, const metrics::Counter& counter) {
    page.sample(std::array{Label{"error_type", values[0]}}, counter.value());
  });
}

void ServiceMetrics::write_throttled(Page& page) const {
  page.begin(throttled_metric);
  throttled_.each([&](const auto& values, const metrics::Counter& counter) {
    page.sample(std::array{Label{"quota", values[0]}, Label{"limit", values[1]},
                           Label{"gen_ai_request_model", values[2]}},
                counter.value());
  });
}

void ServiceMetrics::write_durations(Page& page) const {
  page.begin(duration_metric);
  answers_.each([&](const auto& values, const AnswerSeries& series) {
    page.sample(answer_labels(values, {}), series.duration.read());
  });
  failed_.each([&](const auto& values, const Failed& failed) {
    page.sample(answer_labels(values, {"error_type", values[3]}), failed.duration.read());
  });
}

void ServiceMetrics::write_answers(Page& page) const {
  for (const AnswerRow& row : answer_rows) {
    page.begin(row.metric);
    answers_.each([&](const auto& values, const AnswerSeries& series) {
      page.sample(answer_labels(values, {}), (series.*row.member).read());
    });
  }
  page.begin(usage_metric);
  answers_.each([&](const auto& values, const AnswerSeries& series) {
    page.sample(answer_labels(values, {"gen_ai_token_type", "input"}), series.input_tokens.read());
    page.sample(answer_labels(values, {"gen_ai_token_type", "output"}),
                series.output_tokens.read());
  });
}

void AnswerTimer::note(const Event& event) {
  if (const auto* usage = std::get_if<Usage>(&event)) return note_end(*usage);
  if (what_ == What::tokens_alone) return;
  if (const int tokens = tokens_of(event, tokens_)) note_token(tokens);
}

void AnswerTimer::note_token(int tokens) {
  const SteadyTime now = steady_clock::now();
  if (!first_) {
    first_ = now;
    series_->time_to_first_token.observe(std::chrono::nanoseconds(now - started_).count());
  } else {
    // Those that came together share the time that they took.
    series_->inter_token.observe(std::chrono::nanoseconds(now - last_).count() / tokens,
                                 static_cast<std::uint64_t>(tokens));
  }
  last_ = now;
  tokens_ += tokens;
}

void AnswerTimer::note_end(const Usage& usage) {
  series_->output_tokens.observe(usage.output_tokens);
  if (what_ == What::tokens_alone) return;
  series_->input_tokens.observe(prompt_tokens(usage));
  if (!first_ || usage.output_tokens < 2) return;
  const std::chrono::nanoseconds rest = steady_clock::now() - *first_;
  series_->time_per_output_token.observe(rest.count() / (usage.output_tokens - 1));
}

}  // namespace craton::service
