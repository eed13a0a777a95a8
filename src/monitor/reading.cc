#include "monitor/reading.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"

namespace craton::monitor {
namespace {

using metrics::Sample;

template <class Part>
struct NumberRow {
  std::string_view name;
  double Part::* member;
};

template <class Part>
struct DistributionRow {
  std::string_view name;         ///< With `_bucket`.
  std::string_view model_label;  ///< Names what it belongs to.
  Distribution Part::* member;
};

constexpr std::array server_rows{
    NumberRow<Reading>{"process_start_time_seconds", &Reading::started},
    NumberRow<Reading>{"process_resident_memory_bytes", &Reading::memory},
    NumberRow<Reading>{"process_cpu_seconds_total", &Reading::cpu},
    NumberRow<Reading>{"craton_http_connections", &Reading::connections},
    NumberRow<Reading>{"craton_http_received_bytes_total", &Reading::received},
    NumberRow<Reading>{"craton_http_sent_bytes_total", &Reading::sent},
};

constexpr std::array model_rows{
    NumberRow<ModelReading>{"craton_engine_ready", &ModelReading::ready},
    NumberRow<ModelReading>{"craton_engine_queue_length", &ModelReading::queue},
    NumberRow<ModelReading>{"craton_engine_running", &ModelReading::running},
    NumberRow<ModelReading>{"craton_engine_kv_cells", &ModelReading::cells},
    NumberRow<ModelReading>{"craton_engine_kv_cells_used", &ModelReading::cells_used},
    NumberRow<ModelReading>{"craton_engine_kv_cells_kept", &ModelReading::cells_kept},
    NumberRow<ModelReading>{"craton_engine_prompt_tokens_total", &ModelReading::prompt_tokens},
    NumberRow<ModelReading>{"craton_engine_prefix_hit_tokens_total", &ModelReading::hit_tokens},
    NumberRow<ModelReading>{"craton_engine_generated_tokens_total",
                            &ModelReading::generated_tokens},
    NumberRow<ModelReading>{"craton_engine_evictions_total", &ModelReading::evictions},
};

constexpr std::array model_distributions{
    DistributionRow<ModelReading>{"craton_engine_step_seconds_bucket", "model",
                                  &ModelReading::steps},
    DistributionRow<ModelReading>{"gen_ai_server_time_to_first_token_seconds_bucket",
                                  "gen_ai_response_model", &ModelReading::first_token},
    DistributionRow<ModelReading>{"craton_inter_token_seconds_bucket", "gen_ai_response_model",
                                  &ModelReading::inter_token},
};

/// Without what a terminal would act on.
std::string shown(std::string_view name) {
  std::string text = mended_utf8(name);
  const auto acts = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::ranges::replace_if(text, acts, '?');
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {  // C1: U+0080 to U+009F
    const bool control = text[i] == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (control) text.replace(i, 2, "?");
  }
  return text;
}

double bound_of(const Sample& sample) {
  const std::string_view text = sample.label("le");
  double bound = std::numeric_limits<double>::infinity();
  std::from_chars(text.data(), text.data() + text.size(), bound);
  return bound;
}

void read_model(const Sample& sample, Reading& reading) {
  const auto number = std::ranges::find(model_rows, sample.name, &NumberRow<ModelReading>::name);
  if (number != model_rows.end()) {
    ModelReading& model = reading.models[shown(sample.label("model"))];
    model.engine = shown(sample.label("engine"));
    model.*number->member = sample.value;
    return;
  }
  const auto row =
      std::ranges::find(model_distributions, sample.name, &DistributionRow<ModelReading>::name);
  if (row == model_distributions.end()) return;
  const std::string name = shown(sample.label(row->model_label));
  (reading.models[name].*row->member).add(bound_of(sample), sample.value);
}

/// Operations of those who watch the server.
constexpr std::array<std::string_view, 3> watching{"metrics", "health", "ready"};

void read_operation(const Sample& sample, Reading& reading) {
  if (std::ranges::find(watching, sample.label("operation")) != watching.end()) return;
  if (sample.name == "craton_http_requests_total") {
    OperationReading& operation = reading.operations[shown(sample.label("operation"))];
    operation.requests += sample.value;
    const std::string_view status = sample.label("status");
    if (status >= "400" && status != "499") operation.errors += sample.value;
  } else if (sample.name == "craton_http_request_seconds_bucket") {
    reading.operations[shown(sample.label("operation"))].seconds.add(bound_of(sample),
                                                                     sample.value);
  }
}

void read_server(const Sample& sample, Reading& reading) {
  const auto row = std::ranges::find(server_rows, sample.name, &NumberRow<Reading>::name);
  if (row != server_rows.end()) reading.*row->member = sample.value;
  if (sample.name == "craton_build_info") reading.version = shown(sample.label("version"));
  const bool broken = sample.name == "craton_http_broken_streams_total";
  if (broken && sample.label("error_type") != "caller_left") reading.broken_streams += sample.value;
}

}  // namespace

Result<Reading> read(const metrics::Exposition& page, double time) {
  Reading reading;
  reading.time = time;
  for (const Sample& sample : page.samples) {
    if (!std::isfinite(sample.value)) continue;
    read_server(sample, reading);
    read_model(sample, reading);
    read_operation(sample, reading);
  }
  if (!reading.version.empty()) return reading;
  return Error{ErrorCode::validation, "these are not a Craton server's metrics"};
}

Reading beginning_of(const Reading& now, WallTime wall) {
  const double seconds = std::chrono::duration<double>(wall.time_since_epoch()).count();
  Reading beginning;
  beginning.time = now.time - std::max(0.0, seconds - now.started);
  beginning.started = now.started;
  return beginning;
}

}  // namespace craton::monitor
