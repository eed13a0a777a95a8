// Converse and ConverseStream: from the API's own messages to the API's own answer.
//
//   modelId ── catalogue ── rules ── Conversation ── engine ── events ── answer, or frames
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converse/additional_fields.h"
#include "converse/reply.h"
#include "converse/request.h"
#include "converse/stream.h"
#include "service/converse_call.h"
#include "service/event_body.h"
#include "service/fault_body.h"
#include "service/invocation.h"
#include "service/operations.h"
#include "service/quotas.h"
#include "service/stream_errors.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;
using converse::Delivery;

/// The member at `first`, then `second`, of an input; empty when it is absent.
std::string_view inner_text(const api::Input& input, std::string_view first,
                            std::string_view second) {
  const auto* outer = input.members.if_contains(first);
  const auto* inner = outer ? outer->get_object().if_contains(second) : nullptr;
  return inner ? std::string_view(inner->get_string()) : std::string_view();
}

Error not_yet(std::string_view what) {
  return {ErrorCode::not_implemented,
          std::string(what) + " in Converse is not implemented by this server yet."};
}

/// What is valid and not done here yet: refused, not ignored.
Result<void> refuse_unsupported(const api::Input& input) {
  if (!inner_text(input, "guardrailConfig", "guardrailIdentifier").empty() ||
      !inner_text(input, "guardrailConfig", "guardrailVersion").empty()) {
    return not_yet("Guardrails");
  }
  if (inner_text(input, "performanceConfig", "latency") == "optimized") {
    return not_yet("Latency-optimized inference");
  }
  return {};
}

/// Prompts of Prompt management are model ids to Converse alone; accounts make them, and there are
/// none here.
Result<void> refuse_prompts(std::string_view asked_id) {
  if (!asked_id.starts_with("arn:") || asked_id.find(":prompt/") == asked_id.npos) return {};
  return Error{ErrorCode::resource_not_found,
               "There is no such prompt here: this server knows foundation models and "
               "system-defined inference profiles."};
}

/// A Converse call, read and begun.
struct ConverseCall {
  std::shared_ptr<engines::Engine> engine;
  converse::Provider provider;
  std::shared_ptr<const converse::Request> request;
  std::vector<Running> running;
};

Result<ConverseCall> read_call(const Call& call, Delivery delivery, const catalog::Model& model) {
  CRATON_TRY(refuse_no_chat(model));
  if (delivery == Delivery::streamed && !model.streaming) {
    return Error{ErrorCode::validation, "The model is unsupported for streaming."};
  }
  CRATON_TRY(refuse_unsupported(call.input));
  converse::Provider provider = provider_of(call, model);
  CRATON_TRY_ASSIGN(converse::Request request,
                    read_converse(call.input.members, provider, model, delivery));
  call.account->ignored_fields = joined(request.native.ignored_fields);
  return ConverseCall{nullptr,
                      std::move(provider),
                      std::make_shared<const converse::Request>(std::move(request)),
                      {}};
}

/// Reads a call and begins its answer.
awaitable<Result<ConverseCall>> begin(const Call& call, Delivery delivery) {
  call.account->gen_ai_operation = "chat";  // until it is known better
  CRATON_CO_TRY(refuse_prompts(text_member(call.input, "modelId")));
  CRATON_CO_TRY_ASSIGN(const catalog::Model* model,
                       resolve_model(call, text_member(call.input, "modelId")));
  CRATON_CO_TRY_ASSIGN(ConverseCall read, read_call(call, delivery, *model));
  const Asked asked{*model, read.request->conversation(), delivery == Delivery::streamed};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, asked);
  if (!engine) co_return engine.error();
  read.engine = *engine;
  Result<std::vector<Running>> running =
      co_await begin_answers(call, *engine, *model, read.request->conversation());
  if (!running) co_return running.error();
  for (Running& one : *running) read.running.push_back(std::move(one));
  co_return read;
}

/// A failure in the words of the model's provider.
Error error_of(const converse::Provider& provider, const Failure& failure) {
  if (!failure.input_too_long) return failure.error;
  if (provider.family) return provider.family->too_long(*failure.input_too_long);
  return {ErrorCode::validation, "Input is too long for requested model."};
}

/// The frames of an answer, and of the failure that may end it.
class ConverseWriter : public EventWriter {
 public:
  ConverseWriter(const ConverseCall& call, SteadyTime started)
      : provider_(call.provider), frames_(call.request, call.provider, started) {}

  void write(const Event& event, int, std::string& out) override {
    if (const auto* failure = std::get_if<Failure>(&event)) {
      append_stream_error(error_of(provider_, *failure), StreamOperation::converse, out);
    } else {
      frames_.write(event, out);
    }
  }

 private:
  const converse::Provider provider_;
  converse::StreamWriter frames_;
};

}  // namespace

Result<void> refuse_no_chat(const catalog::Model& model) {
  if (model.converse.chat) return {};
  return Error{ErrorCode::validation,
               "This action doesn't support the model that you provided. Try again with a "
               "supported text or chat model."};
}

converse::Provider provider_of(const Call& call, const catalog::Model& model) {
  return {families::chat_family_of(model.id), context_of(model), std::string(call.request_id)};
}

Result<converse::Request> read_converse(const boost::json::object& input,
                                        const converse::Provider& provider,
                                        const catalog::Model& model, Delivery delivery) {
  CRATON_TRY_ASSIGN(converse::Request request, converse::read(input, model, delivery));
  CRATON_TRY(converse::apply_additional_fields(provider, request));
  return request;
}

awaitable<Result<http::Response>> converse_operation(const Call& call) {
  Result<ConverseCall> begun = co_await begin(call, Delivery::whole);
  if (!begun) co_return begun.error();
  tl::expected<std::vector<Answer>, Failure> answers = co_await collect(std::move(begun->running));
  if (!answers) co_return error_of(begun->provider, answers.error());
  const Answer& answer = answers->front();
  note_usage(*call.account, answer.usage);
  const boost::json::object fields =
      converse::additional_response_fields(begun->provider, *begun->request, answer);
  http::Response response =
      json_response(converse::render(*begun->request, answer, fields, elapsed(call)));
  add_engine_headers(*begun->engine, response);
  co_return response;
}

awaitable<Result<http::Response>> converse_stream(const Call& call) {
  Result<ConverseCall> begun = co_await begin(call, Delivery::streamed);
  if (!begun) co_return begun.error();
  // What fails before the first event is refused like any other call.
  Event first = co_await begun->running.front().next();
  if (const auto* failure = std::get_if<Failure>(&first)) {
    co_return error_of(begun->provider, *failure);
  }
  http::Response response;
  response.headers.add("Content-Type", "application/vnd.amazon.eventstream");
  add_engine_headers(*begun->engine, response);
  auto writer = std::make_unique<ConverseWriter>(*begun, call.started);
  response.stream = stream_body(std::move(first), std::move(begun->running), std::move(writer),
                                call.account, Framing::aws_event_stream);
  co_return response;
}

}  // namespace craton::service
