#include "server/admin.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "engines/rules/value.h"
#include "service/errors.h"

namespace craton::server {
namespace {

constexpr std::string_view prefix = "/_craton/";
constexpr std::array<std::string_view, 3> loopback_names{"127.0.0.1", "localhost", "[::1]"};

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
}

/// "localhost" for "localhost:8420".
std::string_view without_port(std::string_view authority) {
  const std::size_t end = authority.starts_with('[') ? authority.find(']') : 0;
  return authority.substr(0, authority.find(':', end == authority.npos ? 0 : end));
}

bool names_loopback(std::string_view authority) {
  return std::ranges::count(loopback_names, without_port(authority)) > 0;
}

/// A page of another origin reaches loopback through its reader's browser: by its own name for this
/// machine (`Host`), or across origins (`Origin`, `Sec-Fetch-Site`).
bool is_foreign_page(const http::Headers& headers) {
  const std::string_view host = headers.find("host").value_or(std::string_view());
  if (!names_loopback(host)) return true;
  const std::string_view site = headers.find("sec-fetch-site").value_or("none");
  if (site != "none" && site != "same-origin") return true;
  const auto origin = headers.find("origin");
  return origin && *origin != "http://" + std::string(host) &&
         *origin != "https://" + std::string(host);
}

http::Response answer(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("x-amzn-RequestId", random_uuid());
  response.body = std::move(body);
  return response;
}

http::Response refused(const Error& error) {
  http::Response response = service::error_response(error);
  response.headers.add("x-amzn-RequestId", random_uuid());
  return response;
}

http::Response list_faults(const http::Request&, const ServedModels& models) {
  std::string text;
  for (const auto& row : models.faults().rows()) {
    text += (text.empty() ? "" : ",") + std::string("{\"fault\":") + json::quote(row.name) +
            ",\"matched\":" + std::to_string(row.matched) +
            ",\"struck\":" + std::to_string(row.struck) + "}";
  }
  return answer(200, "{\"faults\":[" + text + "]}");
}

Result<void> add(const std::string& body, engines::faults::FaultSet& faults) {
  const engines::rules::Source source{"body", {}};
  CRATON_TRY_ASSIGN(const engines::rules::Value value, engines::rules::read_json(body, source));
  CRATON_TRY_ASSIGN(engines::faults::Fault fault, engines::faults::read_fault(source, value));
  return faults.add(std::move(fault));
}

http::Response add_fault(const http::Request& request, const ServedModels& models) {
  const Result<void> added = add(request.body, models.faults());
  if (!added) return refused(added.error());
  http::Response response = list_faults(request, models);
  response.status = 201;
  return response;
}

http::Response clear_faults(const http::Request& request, const ServedModels& models) {
  models.faults().clear();
  return list_faults(request, models);
}

http::Response reset(const http::Request&, const ServedModels& models) {
  models.reset();
  return answer(200, "{}");
}

struct Route {
  std::string_view method;
  std::string_view path;
  http::Response (*answer)(const http::Request& request, const ServedModels& models);
};
constexpr std::array routes{
    Route{"GET", "/_craton/faults", list_faults}, Route{"POST", "/_craton/faults", add_fault},
    Route{"DELETE", "/_craton/faults", clear_faults}, Route{"POST", "/_craton/reset", reset}};

}  // namespace

std::optional<http::Response> answer_admin(const http::Request& request,
                                           const ServedModels& models) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  if (!path.starts_with(prefix)) return std::nullopt;
  if (!is_loopback(request.peer) || is_foreign_page(request.headers)) {
    return refused(
        {ErrorCode::access_denied,
         "/_craton/ answers programs on this machine alone, at 127.0.0.1 or localhost."});
  }
  for (const Route& route : routes) {
    if (route.path == path && route.method == request.method) return route.answer(request, models);
  }
  return refused({ErrorCode::unknown_operation,
                  "There is no such operation below /_craton/; docs/faults.md lists them."});
}

}  // namespace craton::server
