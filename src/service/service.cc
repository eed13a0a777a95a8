#include "service/service.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "api/operation.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/body_stream.h"
#include "service/errors.h"
#include "service/fault_body.h"
#include "service/invocation.h"
#include "service/operations.h"
#include "service/permissions.h"
#include "service/provider_routes.h"
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

/// A request as it begins to be answered.
struct Begun {
  std::string request_id;
  SteadyTime started;
  std::shared_ptr<Account> account;
};

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

boost::asio::awaitable<Result<http::Response>> answer(const Service& service,
                                                      const http::Request& request,
                                                      const Begun& begun) {
  const std::string_view asked =
      request.headers.find("x-craton-fault").value_or(std::string_view());
  if (const ProviderRoute* route = find_provider_route(request.method, request.target)) {
    begun.account->operation = route->name;
    CRATON_CO_TRY(let_in(service, request, *begun.account));
    const api::Input input{{}, request.body};
    const std::string region = region_of(request, service.options().region);
    const Call call{service, input, region, begun.request_id, begun.started, begun.account, asked};
    CRATON_CO_TRY(check_permission(call));
    http::Response response = co_await route->answer(call);
    co_return response;
  }
  CRATON_CO_TRY_ASSIGN(const api::Match match, api::route(request.method, request.target));
  begun.account->operation = match.operation->name;
  CRATON_CO_TRY(let_in(service, request, *begun.account));
  const OperationRow* row = find_implementation(match.operation->name);
  const api::RawInput raw{request.target, header_value, &request.headers, request.body};
  Result<api::Input> read = api::parse_input(match, raw);
  if (!row) co_return not_implemented(*match.operation, read);
  CRATON_CO_TRY_ASSIGN(const api::Input input, std::move(read));
  const std::string region = region_of(request, service.options().region);
  const Call call{service, input, region, begun.request_id, begun.started, begun.account, asked};
  CRATON_CO_TRY(check_permission(call));
  if (row->answer) co_return row->answer(call);
  co_return co_await row->answer_later(call);
}

log::FieldValue counted(std::optional<int> tokens) {
  return tokens ? log::FieldValue(std::int64_t(*tokens)) : log::FieldValue();
}

std::vector<std::string> fault_names(const engines::faults::Struck& faults) {
  std::vector<std::string> names;
  for (const auto& fault : faults) names.push_back(fault->name);
  return names;
}

/// Tells the log of a request, once, when its answer is over: a streamed one when the last byte is
/// out or the caller has left.
class RequestLine {
 public:
  RequestLine(const http::Request& request, const Begun& begun,
              std::shared_ptr<ServiceMetrics> metrics)
      : metrics_(std::move(metrics)),
        method_(request.method),
        path_(request.target.substr(0, std::min<std::size_t>(256, request.target.find('?')))),
        peer_(request.peer),
        begun_(begun) {}
  ~RequestLine() {
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begun_.started;
    count(took);
    write(took);
    settle();
  }
  RequestLine(const RequestLine&) = delete;
  RequestLine& operator=(const RequestLine&) = delete;

  void answered(const http::Response& response) {
    status_ = response.status;
    error_ = error_type_of(response);
    bytes_ = response.body_view().size();
  }
  void sent(std::size_t bytes) { bytes_ += bytes; }

 private:
  std::string_view error() const {
    if (!error_.empty()) return error_;
    if (!begun_.account->error.empty()) return begun_.account->error;
    return begun_.account->complete ? std::string_view() : "caller_left";
  }

  /// What was taken of the caller's quota for longer answers than came is given back.
  void settle() const {
    Account& account = *begun_.account;
    if (!account.lease) return;
    account.lease->used(account.input_tokens.value_or(0) + account.output_tokens.value_or(0));
    account.lease.reset();
  }

  void count(std::chrono::nanoseconds took) const {
    const Account& account = *begun_.account;
    metrics_->finished(
        {.operation = account.operation,
         .status = status_,
         .error = status_ == 0 ? "caller_left" : error(),
         .took = took,
         .answer = {account.gen_ai_operation, account.request_model, account.engine_model}});
  }

  void write(std::chrono::nanoseconds took) const {
    const Account& account = *begun_.account;
    log::info("request",
              {{"id", begun_.request_id},
               {"operation", account.operation},
               {"method", method_},
               {"path", path_},
               {"status", std::int64_t(status_)},
               {"error", error()},
               {"ms", std::chrono::duration<double, std::milli>(took).count()},
               {"caller", account.caller.identity ? account.caller.identity->name : std::string()},
               {"model_id", account.model_id},
               {"model", account.engine_model},
               {"input_tokens", counted(account.input_tokens)},
               {"output_tokens", counted(account.output_tokens)},
               {"not_honoured", account.ignored_fields},
               {"fault", joined(fault_names(account.faults))},
               {"bytes", std::int64_t(bytes_)},
               {"peer", peer_}});
  }

  const std::shared_ptr<ServiceMetrics> metrics_;
  const std::string method_;
  const std::string path_;
  const std::string peer_;
  const Begun begun_;
  int status_ = 0;
  std::string error_;
  std::size_t bytes_ = 0;
};

/// A streamed body whose request is told of when it ends.
class LoggedBody : public http::BodyStream {
 public:
  LoggedBody(std::unique_ptr<http::BodyStream> body, std::unique_ptr<RequestLine> line)
      : line_(std::move(line)), body_(std::move(body)) {}

  boost::asio::awaitable<std::optional<std::string>> next() override {
    std::optional<std::string> bytes = co_await body_->next();
    if (bytes) line_->sent(bytes->size());
    co_return bytes;
  }

 private:
  std::unique_ptr<RequestLine> line_;  // goes after the body, whose end it tells
  std::unique_ptr<http::BodyStream> body_;
};

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
      workers_(std::make_unique<WorkerPool>(document_threads)) {}

boost::asio::awaitable<http::Response> Service::handle(http::Request request) {
  const Begun begun{random_uuid(), std::chrono::steady_clock::now(), std::make_shared<Account>()};
  auto line = std::make_unique<RequestLine>(request, begun, metrics_);
  Result<http::Response> result = co_await answer(*this, request, begun);
  http::Response response = result ? std::move(*result) : error_response(result.error());
  response.headers.add("x-amzn-RequestId", begun.request_id);
  line->answered(response);
  mark_faults(*begun.account, response);
  if (response.stream) {
    begun.account->complete = false;
    response.stream = std::make_unique<LoggedBody>(std::move(response.stream), std::move(line));
  }
  co_return response;
}

}  // namespace craton::service
