// Which operations are implemented: one table, a row each.
//
// A row's function gets the operation's validated input and gives the answer. Control-plane rows
// answer at once; runtime rows wait for a model and are coroutines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/operation.h"
#include "auth/gate.h"
#include "auth/quota_table.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "service/service.h"

namespace craton::service {

/// What a token takes of quotas.
struct Rates {
  int input = 1;
  int output = 1;
};

/// A quota that refused a request.
struct Throttle {
  std::string quota;  ///< "anthropic.*", the pattern of its models; "key:ci", that of a key.
  auth::Throttled by;
};

/// What the log line of a request tells beside its status. Shared with a streamed body, which is
/// made after the operation has returned.
struct Account {
  auth::Caller caller;               ///< Nobody, where the server does not look at who asks.
  auth::QuotaTable::Leases leases;   ///< What the call has taken of quotas.
  Rates rates;                       ///< What its tokens take of them.
  std::optional<Throttle> throttle;  ///< The quota that refused it.
  std::string_view operation;
  std::string region;  ///< The caller's.
  std::string model_id;
  std::string_view engine_kind;  ///< A literal of the program: "llama".
  std::string engine_model;
  std::string_view request_model;  ///< The catalogue's id of the model; empty until it is known.
  std::string_view profile_id;  ///< By which it was named; of the catalogue. Empty: by its own id.
  /// What is done as the semantic conventions name it: "chat". Empty where no model is to answer.
  std::string_view gen_ai_operation;
  std::string ignored_fields;  ///< Asked for, validated, not honoured by this engine.
  std::optional<int> input_tokens;
  int cache_write_tokens = 0;     ///< Beside those.
  bool tokens_estimated = false;  ///< They are an estimate: no tokenizer could be asked.
  std::optional<int> output_tokens;
  std::string_view error;          ///< Its type, where the answer's header does not tell it.
  bool complete = true;            ///< False while a streamed body has not come to its end.
  engines::faults::Struck faults;  ///< That this request was or is struck by.
};

struct Call {
  const Service& service;
  const api::Input& input;
  std::string_view region;  ///< The caller's.
  std::string_view request_id;
  SteadyTime started;  ///< When the request was whole.
  std::shared_ptr<Account> account;
  const http::Headers& headers;  ///< The request's.
};

struct OperationRow {
  std::string_view name;                               ///< As in the service model.
  Result<http::Response> (*answer)(const Call& call);  ///< Or null, and
  boost::asio::awaitable<Result<http::Response>> (*answer_later)(
      const Call& call);  ///< this is set.
};

/// The rows, sorted by name.
std::span<const OperationRow> implemented_operations();

/// The row of that operation; null when it is not implemented yet.
const OperationRow* find_implementation(std::string_view operation);

/// A 200 with a JSON body.
http::Response json_response(std::string body);

// The operations, by file.
Result<http::Response> list_foundation_models(const Call& call);
Result<http::Response> get_foundation_model(const Call& call);
Result<http::Response> list_inference_profiles(const Call& call);
Result<http::Response> get_inference_profile(const Call& call);
Result<http::Response> list_foundation_model_agreement_offers(const Call& call);
Result<http::Response> create_foundation_model_agreement(const Call& call);
Result<http::Response> delete_foundation_model_agreement(const Call& call);
Result<http::Response> get_foundation_model_availability(const Call& call);
Result<http::Response> put_use_case_for_model_access(const Call& call);
Result<http::Response> get_use_case_for_model_access(const Call& call);
Result<http::Response> put_model_invocation_logging_configuration(const Call& call);
Result<http::Response> get_model_invocation_logging_configuration(const Call& call);
Result<http::Response> delete_model_invocation_logging_configuration(const Call& call);
boost::asio::awaitable<Result<http::Response>> invoke_model(const Call& call);
boost::asio::awaitable<Result<http::Response>> invoke_model_with_response_stream(const Call& call);
boost::asio::awaitable<Result<http::Response>> converse_operation(const Call& call);
boost::asio::awaitable<Result<http::Response>> converse_stream(const Call& call);
boost::asio::awaitable<Result<http::Response>> count_tokens(const Call& call);

}  // namespace craton::service
