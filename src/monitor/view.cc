#include "monitor/view.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <string_view>
#include <tuple>
#include <utility>

namespace craton::monitor {
namespace {

/// Two readings, and what has been between them.
struct Span {
  const Reading& before;
  const Reading& now;

  double seconds() const { return std::max(1e-3, now.time - before.time); }
  double rate(double then, double later) const { return std::max(0.0, later - then) / seconds(); }
};

/// What `map` has under `name`; nothing where it has none.
template <class Part>
Part part_of(const std::map<std::string, Part>& map, const std::string& name) {
  const auto row = map.find(name);
  return row == map.end() ? Part{} : row->second;
}

Latency latency_of(const Distribution& now, const Distribution& before) {
  const Distribution between = now.since(before);
  return {between.count(), between.quantile(0.50), between.quantile(0.95), between.quantile(0.99)};
}

ModelView model_view(const std::string& name, const Span& recent, const Span& longer) {
  const ModelReading now = part_of(recent.now.models, name);
  const ModelReading then = part_of(recent.before.models, name);
  const ModelReading earlier = part_of(longer.before.models, name);
  ModelView view{.name = name, .now = now};
  view.prompt_tokens_per_s = recent.rate(then.prompt_tokens, now.prompt_tokens);
  view.generated_tokens_per_s = recent.rate(then.generated_tokens, now.generated_tokens);
  const double prompts = now.prompt_tokens - earlier.prompt_tokens;
  if (prompts > 0) {
    view.hit_rate = std::clamp((now.hit_tokens - earlier.hit_tokens) / prompts, 0.0, 1.0);
  }
  view.first_token = latency_of(now.first_token, earlier.first_token);
  view.inter_token = latency_of(now.inter_token, earlier.inter_token);
  view.step = latency_of(now.steps, earlier.steps);
  return view;
}

OperationView operation_view(const std::string& name, const Span& recent, const Span& longer) {
  const OperationReading now = part_of(recent.now.operations, name);
  const OperationReading then = part_of(recent.before.operations, name);
  const OperationReading earlier = part_of(longer.before.operations, name);
  return {.name = name,
          .requests_per_s = recent.rate(then.requests, now.requests),
          .errors_per_s = recent.rate(then.errors, now.errors),
          .seconds = latency_of(now.seconds, earlier.seconds)};
}

void add_operations(const Span& recent, const Span& longer, View& view) {
  for (const auto& [name, operation] : recent.now.operations) {
    const OperationView one = operation_view(name, recent, longer);
    view.requests_per_s += one.requests_per_s;
    view.errors_per_s += one.errors_per_s;
    const double earlier = part_of(longer.before.operations, name).requests;
    if (operation.requests > earlier) view.operations.push_back(one);
  }
  std::ranges::sort(view.operations, [](const OperationView& a, const OperationView& b) {
    return std::tuple(-a.requests_per_s, -a.seconds.count, std::string_view(a.name)) <
           std::tuple(-b.requests_per_s, -b.seconds.count, std::string_view(b.name));
  });
}

View view_between(const Span& recent, const Span& longer) {
  View view{.url = {}, .now = recent.now};
  view.rate_time = recent.seconds();
  view.latency_time = longer.seconds();
  const Reading &now = recent.now, &then = recent.before;
  view.errors_per_s = recent.rate(then.broken_streams, now.broken_streams);
  view.received_per_s = recent.rate(then.received, now.received);
  view.sent_per_s = recent.rate(then.sent, now.sent);
  view.cpu = recent.rate(then.cpu, now.cpu);
  for (const auto& [name, model] : now.models) {
    view.models.push_back(model_view(name, recent, longer));
  }
  add_operations(recent, longer, view);
  return view;
}

}  // namespace

void History::add(Reading reading) {
  const bool same = !readings_.empty() && readings_.back().started == reading.started;
  if (!same) readings_.clear();
  readings_.push_back(std::move(reading));
  const double now = readings_.back().time;
  // The oldest kept is the newest that is a minute old.
  while (readings_.size() > readings_max ||
         (readings_.size() > 2 && now - readings_[1].time >= kept_s)) {
    readings_.pop_front();
  }
}

View History::view(std::string url, WallTime wall) const {
  assert(!readings_.empty() && "a view is of a reading");
  const Reading& now = readings_.back();
  const Reading beginning = beginning_of(now, wall);
  const bool alone = readings_.size() == 1;
  const Reading& then = alone ? beginning : readings_[readings_.size() - 2];
  const Reading& earlier = alone ? beginning : readings_.front();
  View view = view_between({then, now}, {earlier, now});
  view.url = std::move(url);
  view.uptime = now.time - beginning.time;
  view.since_start = alone;
  return view;
}

}  // namespace craton::monitor
