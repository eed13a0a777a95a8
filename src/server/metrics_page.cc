#include "server/metrics_page.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "metrics/page.h"
#include "server/process_stats.h"

namespace craton::server {
namespace {

using engines::Engine;
using engines::EngineStats;
using metrics::Label;
using metrics::Metric;
using metrics::Page;
using metrics::Type;

/// A metric that is one number of `Stats`.
template <class Stats>
struct Row {
  Metric metric;
  double (*value)(const Stats& stats);
};

template <auto member, class Stats>
constexpr double number(const Stats& stats) {
  return static_cast<double>(stats.*member);
}

constexpr std::array engine_rows{
    Row<EngineStats>{{"craton_engine_queue_length", Type::gauge,
                      "Requests that an engine holds and does not compute yet."},
                     number<&EngineStats::queue_length>},
    Row<EngineStats>{{"craton_engine_running", Type::gauge, "Answers that are being computed."},
                     number<&EngineStats::running>},
    Row<EngineStats>{
        {"craton_engine_kv_cells", Type::gauge, "Tokens that the KV cache has room for."},
        number<&EngineStats::kv_cells>},
    Row<EngineStats>{{"craton_engine_kv_cells_used", Type::gauge,
                      "KV cells of answers that are being computed."},
                     number<&EngineStats::kv_cells_used>},
    Row<EngineStats>{{"craton_engine_kv_cells_kept", Type::gauge,
                      "KV cells kept of earlier answers, given up when they are needed."},
                     number<&EngineStats::kv_cells_kept>},
    Row<EngineStats>{{"craton_engine_drawn_ratio", Type::gauge,
                      "How much of the picture that is being drawn is done: 0 to 1."},
                     number<&EngineStats::drawn>},
    Row<EngineStats>{{"craton_engine_prompt_tokens_total", Type::counter,
                      "Tokens of the prompts whose turn has come."},
                     number<&EngineStats::prompt_tokens>},
    Row<EngineStats>{{"craton_engine_prefix_hit_tokens_total", Type::counter,
                      "Of those, tokens found in the KV cache."},
                     number<&EngineStats::prefix_hit_tokens>},
    Row<EngineStats>{{"craton_engine_generated_tokens_total", Type::counter,
                      "Tokens that the model has generated."},
                     number<&EngineStats::generated_tokens>},
    Row<EngineStats>{{"craton_engine_evictions_total", Type::counter,
                      "Answers that gave up their KV cells to older ones, to be computed again."},
                     number<&EngineStats::evictions>},
};
constexpr Metric engine_ready{"craton_engine_ready", Type::gauge,
                              "1 when the model is loaded, 0 when it is not, or failed."};
constexpr Metric engine_steps{"craton_engine_step_seconds", Type::histogram,
                              "Time of a step: a batch of all running answers, or an image."};

using engines::ReplicaStats;

constexpr std::array replica_rows{
    Row<ReplicaStats>{{"craton_replica_ready", Type::gauge,
                       "1 when a replica gets requests; 0 when it rests, is on trial or down."},
                      [](const ReplicaStats& stats) {
                        return stats.state == engines::ReplicaState::ready ? 1.0 : 0.0;
                      }},
    Row<ReplicaStats>{{"craton_replica_outstanding", Type::gauge,
                       "Requests that a replica has not answered yet."},
                      number<&ReplicaStats::outstanding>},
    Row<ReplicaStats>{
        {"craton_replica_requests_total", Type::counter, "Requests sent to a replica."},
        number<&ReplicaStats::requests>},
    Row<ReplicaStats>{{"craton_replica_failures_total", Type::counter,
                       "Of those, requests that it did not answer as it should."},
                      number<&ReplicaStats::failures>},
};

constexpr std::array traffic_rows{
    Row<http::Traffic>{{"craton_http_connections", Type::gauge, "Connections that are open."},
                       number<&http::Traffic::connections_open>},
    Row<http::Traffic>{
        {"craton_http_accepted_connections_total", Type::counter, "Connections accepted."},
        number<&http::Traffic::connections>},
    Row<http::Traffic>{{"craton_http_received_bytes_total", Type::counter,
                        "Bytes of HTTP received, without TLS's own."},
                       number<&http::Traffic::received_bytes>},
    Row<http::Traffic>{
        {"craton_http_sent_bytes_total", Type::counter, "Bytes of HTTP sent, without TLS's own."},
        number<&http::Traffic::sent_bytes>},
};

constexpr std::array process_rows{
    Row<ProcessStats>{{"process_resident_memory_bytes", Type::gauge, "Resident memory."},
                      number<&ProcessStats::resident_bytes>},
    Row<ProcessStats>{{"process_cpu_seconds_total", Type::counter, "CPU time, user and system."},
                      number<&ProcessStats::cpu_seconds>},
    Row<ProcessStats>{{"process_open_fds", Type::gauge, "Open file descriptors."},
                      number<&ProcessStats::open_files>},
    Row<ProcessStats>{
        {"process_start_time_seconds", Type::gauge, "When the process started, since the epoch."},
        number<&ProcessStats::started>},
};
constexpr Metric build_info{"craton_build_info", Type::gauge,
                            "1; the labels say what the program is."};

template <class Stats, std::size_t size>
void write_rows(const std::array<Row<Stats>, size>& rows, metrics::Labels labels,
                const Stats& stats, Page& page) {
  for (const Row<Stats>& row : rows) {
    page.begin(row.metric);
    page.sample(labels, row.value(stats));
  }
}

/// What one engine tells, at one moment.
struct EngineView {
  /// `model`: as the page calls it; outlives this.
  EngineView(const engines::Engine& engine, std::string_view model)
      : labels{Label{"engine", engine.kind()}, Label{"model", model}},
        ready(engine.status().state == engines::State::ready),
        stats(engine.stats()),
        replicas(engine.replicas()) {}

  std::array<Label, 2> labels;
  bool ready;
  EngineStats stats;
  std::vector<ReplicaStats> replicas;
};

void write_replicas(const std::vector<EngineView>& views, Page& page) {
  const auto has_some = [](const EngineView& view) { return !view.replicas.empty(); };
  if (std::ranges::none_of(views, has_some)) return;
  for (const Row<ReplicaStats>& row : replica_rows) {
    page.begin(row.metric);
    for (const EngineView& view : views) {
      for (const ReplicaStats& replica : view.replicas) {
        page.sample(std::array{view.labels[0], view.labels[1], Label{"replica", replica.name}},
                    row.value(replica));
      }
    }
  }
}

/// What the page calls their models: each once, as a metric has no two samples of the same labels.
std::vector<std::string> names_of(const std::vector<std::shared_ptr<const Engine>>& engines) {
  std::vector<std::string> names;
  for (const auto& engine : engines) {
    const std::string model(engine->model());
    std::string name = model;
    for (int number = 2; std::ranges::find(names, name) != names.end(); ++number) {
      name = model + '#' + std::to_string(number);
    }
    names.push_back(std::move(name));
  }
  return names;
}

void write_engines(const std::vector<std::shared_ptr<const Engine>>& engines, Page& page) {
  const std::vector<std::string> names = names_of(engines);
  std::vector<EngineView> views;
  for (std::size_t i = 0; i < engines.size(); ++i) views.emplace_back(*engines[i], names[i]);
  page.begin(engine_ready);
  for (const EngineView& view : views) page.sample(view.labels, std::uint64_t{view.ready});
  for (const Row<EngineStats>& row : engine_rows) {
    page.begin(row.metric);
    for (const EngineView& view : views) page.sample(view.labels, row.value(view.stats));
  }
  page.begin(engine_steps);
  for (const EngineView& view : views) {
    if (!view.stats.steps.counts.empty()) page.sample(view.labels, view.stats.steps);
  }
  write_replicas(views, page);
}

void write_all(const Watched& watched, Page& page) {
  page.begin(build_info);
  page.sample(std::array{Label{"version", CRATON_VERSION}}, std::uint64_t{1});
  write_rows(process_rows, {}, process_stats(), page);
  write_rows(traffic_rows, {}, watched.traffic, page);
  if (!watched.engines.empty()) write_engines(watched.engines, page);
  watched.service.metrics()->write(page);
}

}  // namespace

bool asks_for_metrics(const http::Request& request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  return path == "/metrics" && (request.method == "GET" || request.method == "HEAD");
}

http::Response metrics_page(const http::Request& request, const Watched& watched) {
  const metrics::Format format =
      metrics::format_for(request.headers.find("accept").value_or(std::string_view()));
  Page page(format);
  write_all(watched, page);
  http::Response response;
  response.headers.add("Content-Type", std::string(metrics::content_type_of(format)));
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Vary", "Accept");
  response.headers.add("x-amzn-RequestId", random_uuid());
  response.body = page.take();
  return response;
}

}  // namespace craton::server
