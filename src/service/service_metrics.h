// ServiceMetrics: what the service counts of its requests and of the answers that it passes on, by
// names of the OpenTelemetry semantic conventions for generative AI where those have one.
//
// Label values come from tables of the program and from its configuration: an operation's name, an
// id of the catalogue, the bound model. What a client makes up is `_OTHER`.
//
// Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ (names, attributes,
// buckets)
//
// Threads: any function may be called from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "conversation/event.h"
#include "metrics/instruments.h"
#include "metrics/labelled.h"
#include "metrics/page.h"

namespace craton::service {

/// Answers of one model to one model id.
struct AnswerSeries {
  AnswerSeries();

  metrics::Histogram duration;  ///< Of requests that succeed.
  metrics::Histogram time_to_first_token;
  metrics::Histogram time_per_output_token;
  metrics::Histogram inter_token;
  metrics::Histogram input_tokens;
  metrics::Histogram output_tokens;
};

/// Which answers.
struct AnswerLabels {
  std::string_view operation;       ///< `gen_ai.operation.name`: "chat", "text_completion"
  std::string_view request_model;   ///< An id of the catalogue; empty: of none.
  std::string_view response_model;  ///< The model that answers; empty: none was reached.
};

/// A request that is over.
struct FinishedRequest {
  std::string_view operation;                    ///< Empty: of none that is known.
  int status = 0;                                ///< 0: the caller left before there was one.
  std::string_view error;                        ///< Its type; empty when all went well.
  std::optional<std::chrono::nanoseconds> took;  ///< Absent: it never was a whole request.
  AnswerLabels answer;  ///< `operation` is empty where nothing was to be generated.
};

/// A request that a quota refused.
struct ThrottledRequest {
  std::string_view quota;  ///< "anthropic.*", the pattern of its models; "key:ci", that of a key.
  std::string_view limit;  ///< "requests-per-minute"
  std::string_view request_model;  ///< An id of the catalogue.
};

class ServiceMetrics {
 public:
  ServiceMetrics();

  void finished(const FinishedRequest& request);

  void throttled(const ThrottledRequest& request) {
    throttled_.of({request.quota, request.limit, known(request.request_model)}).add();
  }

  AnswerSeries& answers(const AnswerLabels& labels) {
    return answers_.of({labels.operation, known(labels.request_model), labels.response_model});
  }

  /// Writes everything there is.
  void write(metrics::Page& page) const;

 private:
  struct Seconds {
    Seconds();
    metrics::Histogram histogram;
  };
  struct Failed {
    Failed();
    metrics::Histogram duration;
  };

  static std::string_view known(std::string_view value) {
    return value.empty() ? metrics::other_value : value;
  }
  void write_requests(metrics::Page& page) const;
  void write_throttled(metrics::Page& page) const;
  void write_durations(metrics::Page& page) const;
  void write_answers(metrics::Page& page) const;

  metrics::Labelled<metrics::Counter> requests_;        ///< By operation and status.
  metrics::Labelled<Seconds> seconds_;                  ///< By operation.
  metrics::Labelled<metrics::Counter> broken_streams_;  ///< By error type.
  metrics::Labelled<AnswerSeries> answers_;             ///< As AnswerLabels.
  metrics::Labelled<Failed> failed_;                    ///< The same, and the error type.
  metrics::Labelled<metrics::Counter> throttled_;       ///< As ThrottledRequest.
};

/// Notes the tokens of one answer as they are read.
class AnswerTimer {
 public:
  enum class What {
    everything,
    tokens_alone,  ///< Of a further answer to the same request: it is read when the first is whole.
  };

  /// `started`: when the request was whole.
  AnswerTimer(std::shared_ptr<ServiceMetrics> metrics, const AnswerLabels& labels,
              SteadyTime started, What what)
      : metrics_(std::move(metrics)),
        series_(&metrics_->answers(labels)),
        started_(started),
        what_(what) {}

  void note(const Event& event);

 private:
  void note_token(int tokens);
  void note_end(const Usage& usage);

  std::shared_ptr<ServiceMetrics> metrics_;  // keeps the series
  AnswerSeries* series_;
  SteadyTime started_;
  What what_;
  std::optional<SteadyTime> first_;
  SteadyTime last_{};
  int tokens_ = 0;  ///< Read so far, as far as events tell.
};

}  // namespace craton::service
