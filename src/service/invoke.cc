// InvokeModel and InvokeModelWithResponseStream: from the native body to the native reply.
//
//   modelId ── catalogue ── family ── Conversation ── engine ── events ── native reply, or pieces
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "families/embedding_family.h"
#include "families/family.h"
#include "families/image_family.h"
#include "families/schema.h"
#include "service/chunk_writer.h"
#include "service/drawing.h"
#include "service/embedding.h"
#include "service/event_body.h"
#include "service/fault_body.h"
#include "service/invocation.h"
#include "service/operations.h"
#include "service/quotas.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

Error no_family(std::string_view model_id) {
  return {ErrorCode::not_implemented,
          "InvokeModel of " + std::string(model_id) +
              " is not implemented by this server yet. The README says which models are."};
}

Error not_streamed() { return {ErrorCode::validation, "The model is unsupported for streaming."}; }

struct Unsupported {
  std::string_view member;   ///< of InvokeModel's input
  std::string_view allowed;  ///< the one value that asks for nothing special
  std::string_view what;
};

// What InvokeModel's headers can ask for and this server does not do yet: refused, not ignored.
constexpr std::array unsupported{
    Unsupported{"guardrailIdentifier", "", "Guardrails"},
    Unsupported{"guardrailVersion", "", "Guardrails"},
    Unsupported{"performanceConfigLatency", "standard", "Latency-optimized inference"},
};

Result<void> refuse_unsupported(const api::Input& input) {
  for (const Unsupported& row : unsupported) {
    const std::string_view value = text_member(input, row.member);
    if (value.empty() || value == row.allowed) continue;
    return Error{ErrorCode::not_implemented,
                 std::string(row.what) + " in InvokeModel is not implemented by this server yet."};
  }
  return {};
}

enum class Delivery { whole, streamed };

/// A body may repeat what the route says of streaming (OpenAI's), and not contradict it.
Result<void> check_delivery(const families::NativeRequest& request, Delivery delivery) {
  const bool streamed = delivery == Delivery::streamed;
  if (request.streamed.value_or(streamed) == streamed) return {};
  return families::violation("#/stream: expected " + std::string(streamed ? "true" : "false") +
                             ", as the request's route says, or no stream");
}

/// A native call, read and begun.
struct NativeCall {
  const families::Family* family;
  std::shared_ptr<engines::Engine> engine;
  families::ModelContext model;
  std::shared_ptr<const families::NativeRequest> request;
  std::vector<Running> running;
};

/// A native call, read.
Result<NativeCall> read_call(const Call& call, Delivery delivery, const catalog::Model& model) {
  CRATON_TRY(refuse_unsupported(call.input));
  const families::Family* family = families::family_of(model.id, call.input.payload);
  const bool streamed = delivery == Delivery::streamed;
  if (streamed && (!model.streaming || (family && !family->stream))) return not_streamed();
  if (!family) return no_family(model.id);
  const families::ModelContext context = context_of(model);
  CRATON_TRY_ASSIGN(families::NativeRequest request, family->parse(context, call.input.payload));
  CRATON_TRY(check_delivery(request, delivery));
  call.account->ignored_fields = joined(request.ignored_fields);
  return NativeCall{family,
                    nullptr,
                    context,
                    std::make_shared<const families::NativeRequest>(std::move(request)),
                    {}};
}

/// The model that is asked for.
Result<const catalog::Model*> asked_model(const Call& call) {
  call.account->gen_ai_operation = "chat";  // until it is known better
  return resolve_model(call, text_member(call.input, "modelId"));
}

/// Reads a native call and begins its answers.
awaitable<Result<NativeCall>> begin(const Call& call, const catalog::Model& model,
                                    Delivery delivery) {
  CRATON_CO_TRY_ASSIGN(NativeCall native, read_call(call, delivery, model));
  const Asked asked{model, native.request->conversation, delivery == Delivery::streamed,
                    Spends::answer, native.request->generations};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, asked);
  if (!engine) co_return engine.error();
  native.engine = *engine;
  Result<std::vector<Running>> running = co_await begin_answers(
      call, *engine, model, native.request->conversation, native.request->generations);
  if (!running) co_return running.error();
  for (Running& one : *running) native.running.push_back(std::move(one));
  co_return native;
}

/// A failure in the words of the model's provider.
Error error_of(const families::Family& family, const Failure& failure) {
  return failure.input_too_long ? family.too_long(*failure.input_too_long) : failure.error;
}

http::Response native_response(std::string body, const Usage& usage, const NativeCall& native,
                               Milliseconds latency) {
  http::Response response = json_response(std::move(body));
  const std::pair<std::string_view, std::string> headers[] = {
      {"X-Amzn-Bedrock-Invocation-Latency", std::to_string(latency.count())},
      {"X-Amzn-Bedrock-Input-Token-Count", std::to_string(usage.input_tokens)},
      {"X-Amzn-Bedrock-Output-Token-Count", std::to_string(usage.output_tokens)},
  };
  for (const auto& [name, value] : headers) response.headers.add(std::string(name), value);
  if (native.model.prompt_caching) {
    response.headers.add("X-Amzn-Bedrock-Cache-Read-Input-Token-Count",
                         std::to_string(usage.cache_read_tokens));
    response.headers.add("X-Amzn-Bedrock-Cache-Write-Input-Token-Count",
                         std::to_string(usage.cache_write_tokens));
  }
  add_engine_headers(*native.engine, response);
  return response;
}

}  // namespace

awaitable<Result<http::Response>> invoke_model(const Call& call) {
  CRATON_CO_TRY_ASSIGN(const catalog::Model* model, asked_model(call));
  if (const families::EmbeddingFamily* family = families::embedding_family_of(model->id)) {
    CRATON_CO_TRY(refuse_unsupported(call.input));
    co_return co_await invoke_embedding(call, *model, *family);
  }
  if (const families::ImageFamily* family = families::image_family_of(model->id)) {
    CRATON_CO_TRY(refuse_unsupported(call.input));
    co_return co_await invoke_drawing(call, *model, *family);
  }
  Result<NativeCall> native = co_await begin(call, *model, Delivery::whole);
  if (!native) co_return native.error();
  tl::expected<std::vector<Answer>, Failure> answers = co_await collect(std::move(native->running));
  if (!answers) co_return error_of(*native->family, answers.error());
  const Usage usage = usage_of(*answers);
  note_usage(*call.account, usage);
  const families::ReplyContext reply{native->model, *native->request, *answers, call.request_id};
  co_return native_response(native->family->render(reply), usage, *native, elapsed(call));
}

awaitable<Result<http::Response>> invoke_model_with_response_stream(const Call& call) {
  CRATON_CO_TRY_ASSIGN(const catalog::Model* model, asked_model(call));
  Result<NativeCall> native = co_await begin(call, *model, Delivery::streamed);
  if (!native) co_return native.error();
  // What fails before the first event is refused like any other call.
  Event first = co_await native->running.front().next();
  if (const auto* failure = std::get_if<Failure>(&first)) {
    co_return error_of(*native->family, *failure);
  }
  http::Response response;
  response.headers.add("Content-Type", "application/vnd.amazon.eventstream");
  response.headers.add("X-Amzn-Bedrock-Content-Type", "application/json");
  add_engine_headers(*native->engine, response);
  auto writer = std::make_unique<ChunkWriter>(*native->family, native->model, native->request,
                                              std::string(call.request_id), call.started);
  response.stream = stream_body(std::move(first), std::move(native->running), std::move(writer),
                                call.account, Framing::aws_event_stream);
  co_return response;
}

}  // namespace craton::service
