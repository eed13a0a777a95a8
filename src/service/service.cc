#include "service/service.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "api/operation.h"
#include "service/attendant.h"
#include "service/errors.h"
#include "service/fault_body.h"
#include "service/forwarding.h"
#include "service/invocation.h"
#include "service/invocation_log.h"
#include "service/journal.h"
#include "service/operations.h"
#include "service/permissions.h"
#include "service/provider_routes.h"
#include "service/quotas.h"
#include "sigv4/credential_scope.h"

namespace craton::service {
namespace {

std::string_view header_value(const void* context, std::string_view name) {
  return static_cast<const http::Headers*>(context)->find(name).value_or(std::string_view());
}

/// That read documents: one that takes long leaves a thread to the others.
constexpr std::size_t document_threads = 2;

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

/// Says of the input, too, what Bedrock would say: a caller may find out before the operation is
/// there.
Error not_implemented(const api::Operation& operation, const Result<api::Input>& input) {
  std::string message = std::string(operation.name) +
                        " is not implemented by this server yet. The README has the table of "
                        "operations that are.";
  if (!input) message += " Bedrock would refuse this input: " + input.error().message;
  return {ErrorCode::not_implemented, std::move(message)};
}

Result<void> let_in(const Service& service, const http::Request& request, Account& account) {
  auth::Gate* gate = service.options().gate.get();
  if (!gate) return {};
  CRATON_TRY_ASSIGN(account.caller, gate->admit(request));
  return {};
}

/// Where a request is handed on to as it came; none when it is answered here.
std::shared_ptr<client::Forwarder> forwarder_of(const Service& service, const api::Match& match,
                                                Account& account, std::string_view asked_faults,
                                                const std::string& region) {
  const ServiceOptions& options = service.options();
  // What is recorded, struck or counted is asked for in this server's own form.
  const auth::Identity* identity = account.caller.identity.get();
  const bool measured = identity && (identity->quota != auth::Quota{} || !identity->allow.empty());
  if (!options.forwarding || !options.forwarding->any() || options.recorder ||
      !asked_faults.empty() || measured) {
    return nullptr;
  }
  std::string asked_id;
  for (const auto& [label, value] : match.labels) {
    if (label == "modelId") asked_id = value;
  }
  account.model_id = asked_id.substr(0, 256);
  auth::QuotaTable::Model asked{region, asked_id};
  if (const auto known = service.catalog().resolve(region, asked_id)) {
    account.request_model = known->model->id;
    asked.id = known->model->id;
    asked.profile_id = known->profile_id;
  }
  if (options.quotas && !asked_id.empty() && options.quotas->covers(asked)) return nullptr;
  return options.forwarding->find(asked.id, asked_id);
}

boost::asio::awaitable<Result<http::Response>> answer(const Service& service,
                                                      const Interaction& begun) {
  const http::Request& request = begun.request;
  begun.account->region = region_of(request, service.options().region);
  if (const ProviderRoute* route = find_provider_route(request.method, request.target)) {
    begun.account->operation = route->name;
    CRATON_CO_TRY(let_in(service, request, *begun.account));
    const api::Input input{{}, request.body};
    const std::string& region = begun.account->region;
    const Call call{service,       input,         region,         begun.request_id,
                    begun.started, begun.account, request.headers};
    CRATON_CO_TRY(check_permission(call));
    http::Response response = co_await route->answer(call);
    co_return response;
  }
  CRATON_CO_TRY_ASSIGN(const api::Match match, api::route(request.method, request.target));
  begun.account->operation = match.operation->name;
  CRATON_CO_TRY(let_in(service, request, *begun.account));
  const std::string& region = begun.account->region;
  std::shared_ptr<client::Forwarder> forwarder =
      forwarder_of(service, match, *begun.account, asked_faults(request.headers), region);
  if (forwarder) {
    const api::Service to = match.operation->service;
    Result<http::Response> response = co_await forward(std::move(forwarder), to, request);
    co_return response;
  }
  const OperationRow* row = find_implementation(match.operation->name);
  const api::RawInput raw{request.target, header_value, &request.headers, request.body};
  Result<api::Input> read = api::parse_input(match, raw);
  if (!row) co_return not_implemented(*match.operation, read);
  CRATON_CO_TRY_ASSIGN(const api::Input input, std::move(read));
  const Call call{service,       input,         region,         begun.request_id,
                  begun.started, begun.account, request.headers};
  CRATON_CO_TRY(check_permission(call));
  if (row->answer) co_return row->answer(call);
  co_return co_await row->answer_later(call);
}

ServiceOptions with_store(ServiceOptions options) {
  if (!options.store) options.store = store::Store::in_memory();
  return options;
}

}  // namespace

Service::Service(ServiceOptions options, std::shared_ptr<const catalog::Catalog> catalog,
                 FindEngine find_engine)
    : options_(with_store(std::move(options))),
      catalog_(std::move(catalog)),
      find_engine_(std::move(find_engine)),
      workers_(std::make_unique<WorkerPool>(document_threads)),
      journal_(std::make_shared<Journal>(options_.journal)),
      invocation_log_(std::make_shared<InvocationLog>(options_.store, options_.logs)) {}

Service::~Service() = default;

boost::asio::awaitable<http::Response> Service::handle(http::Request request) {
  auto attendant =
      std::make_unique<Attendant>(std::move(request), metrics_, invocation_log_, journal_);
  const Interaction& begun = attendant->interaction();
  Result<http::Response> result = co_await answer(*this, begun);
  http::Response response = result ? std::move(*result) : error_response(result.error());
  if (!result) {
    mark_throttle(*begun.account, options_.retry_after, AnswerForm::bedrock, response);
  }
  // AWS's own, of a request that was handed on, is what its support asks for.
  if (!response.headers.find("x-amzn-requestid")) {
    response.headers.add("x-amzn-RequestId", begun.request_id);
  }
  attendant->answered(response);
  mark_faults(*begun.account, response);
  attend(std::move(attendant), response);
  co_return response;
}

}  // namespace craton::service
