// Page: metrics as text, in the form that Prometheus scrapes.
//
//   # HELP craton_http_requests_total Requests answered.
//   # TYPE craton_http_requests_total counter
//   craton_http_requests_total{operation="Converse",status="200"} 12
//
// Two forms of the same: Prometheus's own, version 0.0.4, and OpenMetrics 1.0.0.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
//         https://prometheus.io/docs/specs/om/open_metrics_spec/
//
// No I/O, no globals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "metrics/instruments.h"

namespace craton::metrics {

enum class Format { prometheus, openmetrics };

/// The Content-Type of a page.
std::string_view content_type_of(Format format);

/// The form that an Accept header asks for; Prometheus's own where it does not care.
Format format_for(std::string_view accept);

enum class Type { counter, gauge, histogram };

/// A metric as it is declared: a row of a table of the program.
struct Metric {
  std::string_view name;  ///< A counter's ends in `_total`.
  Type type;
  std::string_view help;
};

struct Label {
  std::string_view name;
  std::string_view value;  ///< Any bytes. Empty: as if the label were not there.
};
using Labels = std::span<const Label>;

class Page {
 public:
  explicit Page(Format format) : format_(format) {}

  /// Begins a metric: its samples follow. Each is begun once; it may have no samples.
  void begin(const Metric& metric);

  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  void sample(Labels labels, const HistogramCounts& counts);

  /// The whole page. Call once, at the end.
  std::string take();

 private:
  const Format format_;
  std::string name_;  // of the metric that was begun
  std::string text_;
};

/// Appends one line: `name{labels} value`.
void append_sample(std::string_view name, Labels labels, double value, std::string& out);

}  // namespace craton::metrics
