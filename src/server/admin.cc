#include "server/admin.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/uri.h"
#include "base/ids.h"
#include "base/json.h"
#include "engines/rules/value.h"
#include "server/new_binding.h"
#include "server/quota_admin.h"
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

http::Response list_faults(const http::Request&, const Administered& administered) {
  std::string text;
  for (const auto& row : administered.models.faults().rows()) {
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

http::Response add_fault(const http::Request& request, const Administered& administered) {
  const Result<void> added = add(request.body, administered.models.faults());
  if (!added) return refused(added.error());
  http::Response response = list_faults(request, administered);
  response.status = 201;
  return response;
}

http::Response clear_faults(const http::Request& request, const Administered& administered) {
  administered.models.faults().clear();
  return list_faults(request, administered);
}

http::Response list_bindings(const http::Request&, const Administered& administered) {
  std::string text;
  const auto rows = administered.models.bindings();
  for (const auto& row : *rows) text += (text.empty() ? "" : ",") + binding_text(*row);
  return answer(200, "{\"bindings\":[" + text + "]}");
}

Result<void> bind(const std::string& body, ServedModels& models) {
  CRATON_TRY_ASSIGN(const NewBinding binding, read_new_binding(body));
  return models.bind(binding);
}

http::Response add_binding(const http::Request& request, const Administered& administered) {
  const Result<void> bound = bind(request.body, administered.models);
  if (!bound) return refused(bound.error());
  http::Response response = list_bindings(request, administered);
  response.status = 201;
  return response;
}

http::Response reset_bindings(const http::Request& request, const Administered& administered) {
  administered.models.reset_bindings();
  return list_bindings(request, administered);
}

/// The one whose id ends the path.
http::Response remove_binding(std::string_view id, const Administered& administered) {
  if (administered.models.unbind(id)) return list_bindings({}, administered);
  return refused(
      {ErrorCode::resource_not_found, "There is no such binding; /_craton/bindings lists them."});
}

http::Response list_quotas(const http::Request&, const Administered& administered) {
  return answer(200,
                quotas_text(administered.quotas, std::chrono::steady_clock::now(), system_now()));
}

http::Response put_quotas(const http::Request& request, const Administered& administered) {
  Result<std::vector<auth::QuotaRule>> rules = read_quotas(request.body);
  if (!rules) return refused(rules.error());
  administered.quotas.replace(std::move(*rules));
  return list_quotas(request, administered);
}

http::Response clear_quotas(const http::Request& request, const Administered& administered) {
  administered.quotas.replace({});
  return list_quotas(request, administered);
}

http::Response reset(const http::Request&, const Administered& administered) {
  administered.models.reset();
  administered.quotas.reset();
  administered.journal.clear();
  return answer(200, "{}");
}

// Parameters of /_craton/requests.

Result<int> number_of(std::string_view name, const std::string& text, int most) {
  int number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && end.ptr == text.data() + text.size() && number >= 0 && number <= most) {
    return number;
  }
  return Error{ErrorCode::validation, std::string(name) + ": expected a whole number from 0 to " +
                                          std::to_string(most) + ", found '" + text + "'"};
}

/// "2026-11-26T12:00:00Z"
Result<std::chrono::seconds> time_of(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end && (*end == '\0' || std::string_view(end) == "Z")) {
    return std::chrono::seconds(timegm(&parts));
  }
  return Error{ErrorCode::validation,
               "since: expected a time such as 2026-11-26T12:00:00Z, found '" + text + "'"};
}

Result<void> set_parameter(const std::string& name, const std::string& value,
                           service::Journal::Filter& filter) {
  if (name == "operation") {
    filter.operation = value;
  } else if (name == "model") {
    filter.model = value;
  } else if (name == "engine") {
    filter.engine = value;
  } else if (name == "status") {
    CRATON_TRY_ASSIGN(filter.status, number_of(name, value, 999));
  } else if (name == "limit") {
    CRATON_TRY_ASSIGN(const int limit, number_of(name, value, 100'000));
    filter.limit = static_cast<std::size_t>(limit);
  } else if (name == "since") {
    CRATON_TRY_ASSIGN(filter.since, time_of(value));
  } else {
    return Error{ErrorCode::validation, "There is no parameter '" + name +
                                            "'; operation, model, engine, status, since and limit "
                                            "are known."};
  }
  return {};
}

http::Response list_requests(const http::Request& request, const Administered& administered) {
  const auto parameters = api::query_of(request.target);
  service::Journal::Filter filter;  // its texts are the parameters'
  for (const auto& [name, value] : parameters) {
    const Result<void> set = set_parameter(name, value, filter);
    if (!set) return refused(set.error());
  }
  std::string text;
  for (const auto& interaction : administered.journal.list(filter)) {
    text += (text.empty() ? "" : ",") + service::summary_text(*interaction);
  }
  return answer(200, "{\"requests\":[" + text + "]}");
}

http::Response clear_requests(const http::Request&, const Administered& administered) {
  administered.journal.clear();
  return answer(200, "{\"requests\":[]}");
}

/// The one whose id ends the path.
http::Response show_request(std::string_view id, const Administered& administered) {
  const auto interaction = administered.journal.find(id);
  if (interaction) return answer(200, service::whole_text(*interaction));
  return refused({ErrorCode::resource_not_found,
                  "There is no such request in the journal; /_craton/requests lists them."});
}

struct Route {
  std::string_view method;
  std::string_view path;
  http::Response (*answer)(const http::Request& request, const Administered& administered);
};
constexpr std::array routes{Route{"GET", "/_craton/faults", list_faults},
                            Route{"POST", "/_craton/faults", add_fault},
                            Route{"DELETE", "/_craton/faults", clear_faults},
                            Route{"GET", "/_craton/bindings", list_bindings},
                            Route{"POST", "/_craton/bindings", add_binding},
                            Route{"DELETE", "/_craton/bindings", reset_bindings},
                            Route{"POST", "/_craton/reset", reset},
                            Route{"GET", "/_craton/quotas", list_quotas},
                            Route{"PUT", "/_craton/quotas", put_quotas},
                            Route{"DELETE", "/_craton/quotas", clear_quotas},
                            Route{"GET", "/_craton/requests", list_requests},
                            Route{"DELETE", "/_craton/requests", clear_requests}};

/// Of one thing, whose id ends the path.
struct ItemRoute {
  std::string_view method;
  std::string_view prefix;
  http::Response (*answer)(std::string_view id, const Administered& administered);
};
constexpr std::array item_routes{ItemRoute{"GET", "/_craton/requests/", show_request},
                                 ItemRoute{"DELETE", "/_craton/bindings/", remove_binding}};

}  // namespace

std::optional<http::Response> answer_admin(const http::Request& request,
                                           const Administered& administered) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  if (!path.starts_with(prefix)) return std::nullopt;
  if (!is_loopback(request.peer) || is_foreign_page(request.headers)) {
    return refused(
        {ErrorCode::access_denied,
         "/_craton/ answers programs on this machine alone, at 127.0.0.1 or localhost."});
  }
  for (const Route& route : routes) {
    if (route.path == path && route.method == request.method)
      return route.answer(request, administered);
  }
  for (const ItemRoute& route : item_routes) {
    if (route.method == request.method && path.starts_with(route.prefix)) {
      return route.answer(path.substr(route.prefix.size()), administered);
    }
  }
  return refused(
      {ErrorCode::unknown_operation,
       "There is no such operation below /_craton/; docs/administration.md lists them."});
}

}  // namespace craton::server
