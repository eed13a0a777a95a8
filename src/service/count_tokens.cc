// CountTokens: what a Converse or InvokeModel call of the same content would report as its input.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "base/base64.h"
#include "families/family.h"
#include "service/converse_call.h"
#include "service/invocation.h"
#include "service/operations.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

Error not_counted() {
  return {ErrorCode::validation, "The provided model doesn't support counting tokens."};
}

/// The conversation of an InvokeModel body.
Result<Conversation> read_native(const boost::json::object& input, const catalog::Model& model) {
  const auto& encoded = input.at("body").get_string();
  const std::string body = base64_bytes(encoded).value_or(std::string());
  const families::Family* family = families::family_of(model.id, body);
  if (!family) return not_counted();
  CRATON_TRY_ASSIGN(families::NativeRequest request, family->parse(context_of(model), body));
  return std::move(request.conversation);
}

/// The conversation of a Converse input.
Result<Conversation> read_messages(const Call& call, const boost::json::object& input,
                                   const catalog::Model& model) {
  CRATON_TRY(refuse_no_chat(model));
  CRATON_TRY_ASSIGN(converse::Request request, read_converse(input, provider_of(call, model), model,
                                                             converse::Delivery::whole));
  return std::move(request.native.conversation);
}

Result<Conversation> read_input(const Call& call, const catalog::Model& model) {
  if (!model.converse.count_tokens) return not_counted();
  const boost::json::object& input = call.input.members.at("input").get_object();
  if (const auto* native = input.if_contains("invokeModel")) {
    return read_native(native->get_object(), model);
  }
  return read_messages(call, input.at("converse").get_object(), model);
}

}  // namespace

awaitable<Result<http::Response>> count_tokens(const Call& call) {
  CRATON_CO_TRY_ASSIGN(
      const catalog::Model* model,
      resolve_model(call, text_member(call.input, "modelId"), catalog::Use::count_tokens));
  CRATON_CO_TRY_ASSIGN(Conversation conversation, read_input(call, *model));
  const Asked asked{*model, conversation, false, Spends::nothing};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, asked);
  if (!engine) co_return engine.error();
  const Result<int> tokens = co_await counted_tokens(call, *engine, *model, conversation);
  if (!tokens) co_return tokens.error();
  http::Response response = json_response("{\"inputTokens\":" + std::to_string(*tokens) + "}");
  add_engine_headers(**engine, response);
  add_estimate_header(call, response);
  co_return response;
}

}  // namespace craton::service
