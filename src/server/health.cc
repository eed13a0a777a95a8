#include "server/health.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/json.h"

namespace craton::server {
namespace {

struct StateRow {
  engines::State state;
  std::string_view name;
  int status;
};
// From best to worst.
constexpr std::array states{StateRow{engines::State::ready, "ready", 200},
                            StateRow{engines::State::loading, "loading", 503},
                            StateRow{engines::State::failed, "failed", 503}};

const StateRow* row_of(const engines::Engine& engine) {
  return std::ranges::find(states, engine.status().state, &StateRow::state);
}

/// `,"model":"a"` of one, `,"models":[{"model":"a","status":"ready"}]` of several.
std::string text_of(const Engines& kept) {
  if (kept.empty()) return {};
  if (kept.size() == 1) return ",\"model\":" + json::quote(kept.front()->model());
  std::string text = ",\"models\":[";
  for (const auto& engine : kept) {
    if (engine != kept.front()) text += ',';
    text += "{\"model\":" + json::quote(engine->model()) +
            ",\"status\":" + json::quote(row_of(*engine)->name) + "}";
  }
  return text + "]";
}

http::Response answer(int status, std::string_view state, const Engines& kept) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("x-amzn-RequestId", random_uuid());
  response.body = "{\"status\":" + json::quote(state) + text_of(kept) + "}";
  return response;
}

http::Response readiness(const Engines& kept) {
  const StateRow* worst = &states.front();
  for (const auto& engine : kept) worst = std::max(worst, row_of(*engine));
  return answer(worst->status, worst->name, kept);
}

}  // namespace

bool is_probe(const http::Request& request) {
  return (request.method == "GET" || request.method == "HEAD") &&
         (request.target == "/health" || request.target == "/ready");
}

http::Response answer_probe(const http::Request& request, const Engines& kept) {
  return request.target == "/health" ? answer(200, "ok", {}) : readiness(kept);
}

}  // namespace craton::server
