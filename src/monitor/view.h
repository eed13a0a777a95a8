// View: what `craton top` shows, reckoned from readings: rates from two of them, latencies from two
// that lie further apart.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "monitor/reading.h"

namespace craton::monitor {

struct Latency {
  double count = 0;
  std::optional<Quantile> p50, p95, p99;  ///< Seconds; absent when nothing was measured.
};

struct ModelView {
  std::string name;
  ModelReading now;
  double prompt_tokens_per_s = 0;
  double generated_tokens_per_s = 0;
  std::optional<double> hit_rate;  ///< Of the prompts' tokens, 0 to 1; absent without prompts.
  Latency first_token, inter_token, step;
};

struct OperationView {
  std::string name;
  double requests_per_s = 0;
  double errors_per_s = 0;
  Latency seconds;
};

struct View {
  std::string url;
  Reading now;
  double uptime = 0;         ///< Seconds.
  double rate_time = 0;      ///< Seconds that rates are of,
  double latency_time = 0;   ///< and latencies, hit rates, and the choice of operations.
  bool since_start = false;  ///< Both are of all the time since the server's start.
  double requests_per_s = 0;
  double errors_per_s = 0;
  double received_per_s = 0;  ///< Bytes.
  double sent_per_s = 0;      ///< Bytes.
  double cpu = 0;             ///< Cores that are busy.
  std::vector<ModelView> models;
  std::vector<OperationView> operations;  ///< That were asked for; the busiest first.
};

/// The readings of the last minute.
class History {
 public:
  static constexpr double kept_s = 60;
  static constexpr std::size_t readings_max = 1024;

  /// A reading of a server that was started anew begins a history anew.
  void add(Reading reading);

  /// Of the last reading, which there must be. Where there is only one, since the server's start.
  View view(std::string url, WallTime wall) const;

 private:
  std::deque<Reading> readings_;  ///< Oldest first.
};

}  // namespace craton::monitor
