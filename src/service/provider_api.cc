#include "service/provider_api.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "service/event_body.h"
#include "service/fault_body.h"
#include "service/invocation.h"
#include "service/quotas.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

/// A request's body, with what the API's own members say.
struct ProviderRequest {
  std::string model_id;
  bool streamed = false;
  std::string body;  ///< As the family reads it.
};

/// A request that is read, and whose engine is ready.
struct Prepared {
  const catalog::Model* model;
  std::shared_ptr<engines::Engine> engine;
  std::shared_ptr<const families::NativeRequest> request;
  bool streamed;
};

Error error_of(const ProviderApi& api, const Failure& failure) {
  return failure.input_too_long ? api.family->too_long(*failure.input_too_long) : failure.error;
}

/// Writes an answer's pieces as server-sent events.
class SseWriter : public EventWriter {
 public:
  SseWriter(const ProviderApi& api, const families::ModelContext& model,
            std::shared_ptr<const families::NativeRequest> request, std::string request_id)
      : api_(api),
        model_(model),
        request_(std::move(request)),
        request_id_(std::move(request_id)),
        pieces_of_(api.family->stream({model_, *request_, request_id_})) {}

  void write(const Event& event, int generation, std::string& out) override {
    if (const auto* failure = std::get_if<Failure>(&event)) {
      return api_.append_error(error_of(api_, *failure), out);
    }
    pieces_.clear();
    pieces_of_->write(event, generation, pieces_);
    for (const std::string& piece : pieces_) api_.append_piece(piece, out);
    const bool last =
        std::holds_alternative<Usage>(event) && generation + 1 == request_->generations;
    if (last) out += api_.stream_end;
  }

 private:
  const ProviderApi& api_;
  const families::ModelContext model_;
  const std::shared_ptr<const families::NativeRequest> request_;
  const std::string request_id_;
  const std::unique_ptr<families::StreamWriter> pieces_of_;
  std::vector<std::string> pieces_;
};

Result<ProviderRequest> read_request(const ProviderApi& api, std::string_view text) {
  Result<json::value> value = json::parse(text);
  if (!value) return Error{ErrorCode::validation, value.error().message};
  json::object* members = value->if_object();
  if (!members) return Error{ErrorCode::validation, "The body must be a JSON object."};
  ProviderRequest request;
  const json::value* model = members->if_contains("model");
  if (!model || !model->is_string() || model->get_string().empty()) {
    return Error{ErrorCode::validation, "model: Field required"};
  }
  request.model_id = std::string(model->get_string());
  if (const json::value* stream = members->if_contains("stream"); stream && !stream->is_null()) {
    if (!stream->is_bool()) return Error{ErrorCode::validation, "stream: must be true or false"};
    request.streamed = stream->get_bool();
  }
  api.prepare(*members);
  request.body = json::to_text(*members);
  return request;
}

/// Clients of these APIs leave versions out: "openai.gpt-oss-120b" is "openai.gpt-oss-120b-1:0".
Result<const catalog::Model*> resolve_by_name(const Call& call, const std::string& name) {
  Result<const catalog::Model*> as_named = resolve_model(call, name);
  for (const std::string_view version : {"-1:0", "-v1:0"}) {
    if (as_named || as_named.error().code != ErrorCode::validation) break;
    auto versioned = resolve_model(call, name + std::string(version));
    if (versioned || versioned.error().code != ErrorCode::validation) return versioned;
  }
  return as_named;
}

Error not_served(const ProviderApi& api, std::string_view model_id) {
  return {ErrorCode::validation, "The model '" + std::string(model_id) +
                                     "' does not support the '" + std::string(api.path) + "' API"};
}

awaitable<Result<Prepared>> prepare(const ProviderApi& api, const Call& call, Spends spends) {
  CRATON_CO_TRY_ASSIGN(const ProviderRequest asked, read_request(api, call.input.payload));
  CRATON_CO_TRY_ASSIGN(const catalog::Model* model, resolve_by_name(call, asked.model_id));
  call.account->model_id = model->id;
  if (!api.serves(*model)) co_return not_served(api, asked.model_id);
  CRATON_CO_TRY_ASSIGN(families::NativeRequest request,
                       api.family->parse(context_of(*model), asked.body));
  call.account->ignored_fields = joined(request.ignored_fields);
  const Asked wanted{*model, request.conversation, asked.streamed, spends, request.generations};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, wanted);
  if (!engine) co_return engine.error();
  co_return Prepared{model, *engine,
                     std::make_shared<const families::NativeRequest>(std::move(request)),
                     asked.streamed};
}

awaitable<Result<http::Response>> whole(const ProviderApi& api, const Call& call,
                                        const Prepared& prepared, std::vector<Running> running) {
  tl::expected<std::vector<Answer>, Failure> answers = co_await collect(std::move(running));
  if (!answers) co_return error_of(api, answers.error());
  const Usage usage = usage_of(*answers);
  note_usage(*call.account, usage);
  const families::ModelContext model = context_of(*prepared.model);
  const families::ReplyContext reply{model, *prepared.request, *answers, call.request_id};
  co_return json_response(api.family->render(reply));
}

awaitable<Result<http::Response>> streamed(const ProviderApi& api, const Call& call,
                                           const Prepared& prepared, std::vector<Running> running) {
  Event first = co_await running.front().next();
  if (const auto* failure = std::get_if<Failure>(&first)) co_return error_of(api, *failure);
  http::Response response;
  response.headers.add("Content-Type", "text/event-stream; charset=utf-8");
  response.headers.add("Cache-Control", "no-cache");
  auto writer = std::make_unique<SseWriter>(api, context_of(*prepared.model), prepared.request,
                                            std::string(call.request_id));
  response.stream = stream_body(std::move(first), std::move(running), std::move(writer),
                                call.account, Framing::server_sent_events);
  co_return response;
}

awaitable<Result<http::Response>> answer(const ProviderApi& api, const Call& call) {
  call.account->gen_ai_operation = "chat";  // until it is known better
  Result<Prepared> prepared = co_await prepare(api, call, Spends::answer);
  if (!prepared) co_return prepared.error();
  Result<std::vector<Running>> running =
      co_await begin_answers(call, prepared->engine, *prepared->model,
                             prepared->request->conversation, prepared->request->generations);
  if (!running) co_return running.error();
  auto made = prepared->streamed ? streamed(api, call, *prepared, std::move(*running))
                                 : whole(api, call, *prepared, std::move(*running));
  Result<http::Response> response = co_await std::move(made);
  if (response) add_engine_headers(*prepared->engine, *response);
  co_return response;
}

awaitable<Result<http::Response>> count(const ProviderApi& api, const Call& call) {
  Result<Prepared> prepared = co_await prepare(api, call, Spends::nothing);
  if (!prepared) co_return prepared.error();
  const Result<int> counted = co_await counted_tokens(call, prepared->engine, *prepared->model,
                                                      prepared->request->conversation);
  if (!counted) co_return counted.error();
  const int tokens = *counted;
  http::Response response = json_response("{\"input_tokens\":" + std::to_string(tokens) + "}");
  add_estimate_header(call, response);
  co_return response;
}

http::Response response_or_refusal(const ProviderApi& api, const Call& call,
                                   Result<http::Response> result) {
  if (result) return std::move(*result);
  call.account->error = shape_of(result.error().code).name;
  http::Response response = api.refuse(result.error(), call.request_id);
  mark_throttle(*call.account, call.service.options().retry_after, AnswerForm::provider, response);
  return response;
}

}  // namespace

awaitable<http::Response> answer_with(const ProviderApi& api, const Call& call) {
  Result<http::Response> result = co_await answer(api, call);
  co_return response_or_refusal(api, call, std::move(result));
}

awaitable<http::Response> count_with(const ProviderApi& api, const Call& call) {
  Result<http::Response> result = co_await count(api, call);
  co_return response_or_refusal(api, call, std::move(result));
}

}  // namespace craton::service
