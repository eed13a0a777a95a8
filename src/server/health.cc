#include "server/health.h"

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/json.h"

namespace craton::server {
namespace {

http::Response answer(int status, std::string_view state, const engines::Engine* engine) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("x-amzn-RequestId", random_uuid());
  response.body = "{\"status\":" + json::quote(state);
  if (engine) response.body += ",\"model\":" + json::quote(engine->model());
  response.body += "}";
  return response;
}

http::Response readiness(const engines::Engine* engine) {
  if (!engine) return answer(200, "ready", nullptr);
  switch (engine->status().state) {
    case engines::State::ready: return answer(200, "ready", engine);
    case engines::State::loading: return answer(503, "loading", engine);
    case engines::State::failed: break;
  }
  return answer(503, "failed", engine);
}

}  // namespace

std::optional<http::Response> answer_probe(const http::Request& request,
                                           const engines::Engine* engine) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  if (request.target == "/health") return answer(200, "ok", nullptr);
  if (request.target == "/ready") return readiness(engine);
  return std::nullopt;
}

}  // namespace craton::server
