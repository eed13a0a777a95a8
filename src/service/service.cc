#include "service/service.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "api/operation.h"
#include "base/ids.h"
#include "base/log.h"
#include "service/errors.h"
#include "service/operations.h"
#include "sigv4/credential_scope.h"

namespace craton::service {
namespace {

std::string_view header_value(const void* context, std::string_view name) {
  return static_cast<const http::Headers*>(context)->find(name).value_or(std::string_view());
}

/// A Region's name goes into ARNs, so only what could be one is taken from a caller.
bool is_region_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

/// The Region that the request was signed for; `fallback` when it was not, or for none that could
/// be.
std::string region_of(const http::Request& request, const std::string& fallback) {
  const auto scope = sigv4::parse_credential_scope(
      request.headers.find("authorization").value_or(std::string_view()));
  return scope && is_region_name(scope->region) ? std::string(scope->region) : fallback;
}

Error not_implemented(const api::Operation& operation) {
  return {ErrorCode::not_implemented, std::string(operation.name) +
                                          " is not implemented by this server yet. The README has "
                                          "the table of operations that are."};
}

boost::asio::awaitable<Result<http::Response>> answer(const Service& service,
                                                      const http::Request& request,
                                                      std::string_view request_id,
                                                      Account& account) {
  CRATON_CO_TRY_ASSIGN(const api::Match match, api::route(request.method, request.target));
  account.operation = match.operation->name;
  const OperationRow* row = find_implementation(match.operation->name);
  if (!row) co_return not_implemented(*match.operation);

  const api::RawInput raw{request.target, header_value, &request.headers, request.body};
  CRATON_CO_TRY_ASSIGN(const api::Input input, api::parse_input(match, raw));
  const std::string region = region_of(request, service.options().region);
  const Call call{service, input, region, request_id, account};
  if (row->answer) co_return row->answer(call);
  co_return co_await row->answer_later(call);
}

log::FieldValue counted(std::optional<int> tokens) {
  return tokens ? log::FieldValue(std::int64_t(*tokens)) : log::FieldValue();
}

void write_log_line(const http::Request& request, const http::Response& response,
                    std::string_view request_id, const Account& account, SteadyTime started) {
  const double took =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
  const std::string_view path = std::string_view(request.target).substr(0, 256);
  log::info("request", {{"id", request_id},
                        {"operation", account.operation},
                        {"method", request.method},
                        {"path", path.substr(0, path.find('?'))},
                        {"status", std::int64_t(response.status)},
                        {"error", error_type_of(response)},
                        {"ms", took},
                        {"model_id", account.model_id},
                        {"model", account.engine_model},
                        {"input_tokens", counted(account.input_tokens)},
                        {"output_tokens", counted(account.output_tokens)},
                        {"not_honoured", account.ignored_fields},
                        {"bytes", std::int64_t(response.body_view().size())},
                        {"peer", request.peer}});
}

}  // namespace

Service::Service(ServiceOptions options, std::shared_ptr<const catalog::Catalog> catalog,
                 std::shared_ptr<engines::Engine> engine)
    : options_(std::move(options)), catalog_(std::move(catalog)), engine_(std::move(engine)) {}

engines::Engine* Service::engine_of(std::string_view) const { return engine_.get(); }

boost::asio::awaitable<http::Response> Service::handle(http::Request request) {
  const SteadyTime started = std::chrono::steady_clock::now();
  const std::string request_id = random_uuid();
  Account account;
  Result<http::Response> result = co_await answer(*this, request, request_id, account);
  http::Response response = result ? std::move(*result) : error_response(result.error());
  response.headers.add("x-amzn-RequestId", request_id);
  write_log_line(request, response, request_id, account, started);
  co_return response;
}

}  // namespace craton::service
