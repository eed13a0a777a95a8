// Runtime: InvokeModel, from the native body to the native reply.
//
//   modelId ── catalogue ── family ── Conversation ── engine ── events ── Answer ── native reply
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "families/family.h"
#include "http/awaitable.h"
#include "service/operations.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

/// Gives a generation up when its caller leaves early: cancelled, or past its deadline.
class GenerationGuard {
 public:
  explicit GenerationGuard(std::shared_ptr<engines::Generation> generation)
      : generation_(std::move(generation)) {}
  ~GenerationGuard() { generation_->cancel(); }
  GenerationGuard(const GenerationGuard&) = delete;
  GenerationGuard& operator=(const GenerationGuard&) = delete;

 private:
  std::shared_ptr<engines::Generation> generation_;
};

Error no_engine(std::string_view model_id) {
  return {ErrorCode::model_not_ready,
          "No model is bound to " + std::string(model_id) +
              ". Start the server with a model: craton serve --model NAME."};
}

Error not_ready() {
  return {ErrorCode::model_not_ready,
          "Model is not ready for inference. Wait and try your request again."};
}

Error no_family(std::string_view model_id) {
  return {ErrorCode::not_implemented,
          "InvokeModel of " + std::string(model_id) +
              " is not implemented by this server yet. The README says which models are."};
}

/// Waits while the engine loads, for `limit` at most.
awaitable<Result<void>> wait_until_ready(engines::Engine& engine, Milliseconds limit) {
  if (engine.status().state == engines::State::loading) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + limit;
    const http::Subscribe subscribe = [&engine](std::function<void()> wake) {
      engine.notify_loaded(std::move(wake));
    };
    co_await http::wait_until(subscribe, deadline);
  }
  switch (engine.status().state) {
    case engines::State::ready: co_return Result<void>();
    case engines::State::loading: co_return not_ready();
    case engines::State::failed: break;
  }
  co_return Error{ErrorCode::model_error,
                  "The model that answers here could not be loaded; the server's log and `craton "
                  "doctor` say why."};
}

/// Folds a generation's events, as they come, into its answer.
awaitable<tl::expected<Answer, Failure>> collect(std::shared_ptr<engines::Generation> generation) {
  const GenerationGuard guard(generation);
  const http::Subscribe subscribe = [generation](std::function<void()> wake) {
    generation->notify(std::move(wake));
  };
  AnswerBuilder builder;
  while (!builder.complete()) {
    if (std::optional<Event> event = generation->try_next()) {
      builder.add(std::move(*event));
      continue;
    }
    co_await http::wait_until(subscribe, std::nullopt);
  }
  co_return builder.take();
}

std::string_view text_member(const api::Input& input, std::string_view name) {
  const auto* member = input.members.if_contains(name);
  return member && member->is_string() ? std::string_view(member->get_string())
                                       : std::string_view();
}

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

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

http::Response native_response(std::string body, const Answer& answer,
                               const engines::Engine& engine, Milliseconds latency) {
  http::Response response = json_response(std::move(body));
  const std::pair<std::string_view, std::string> headers[] = {
      {"X-Amzn-Bedrock-Invocation-Latency", std::to_string(latency.count())},
      {"X-Amzn-Bedrock-Input-Token-Count", std::to_string(answer.usage.input_tokens)},
      {"X-Amzn-Bedrock-Output-Token-Count", std::to_string(answer.usage.output_tokens)},
      {"x-craton-engine", std::string(engine.kind())},
      {"x-craton-model", std::string(engine.model())},
  };
  for (const auto& [name, value] : headers) response.headers.add(std::string(name), value);
  return response;
}

}  // namespace

awaitable<Result<http::Response>> invoke_model(const Call& call) {
  const SteadyTime started = std::chrono::steady_clock::now();
  const std::string_view asked_id = text_member(call.input, "modelId");
  call.account.model_id = asked_id.substr(0, 256);

  CRATON_CO_TRY_ASSIGN(const catalog::Invocable invocable,
                       call.service.catalog().resolve(call.region, asked_id));
  CRATON_CO_TRY(refuse_unsupported(call.input));
  const catalog::Model& model = *invocable.model;
  const families::Family* family = families::family_of(model.id, call.input.payload);
  if (!family) co_return no_family(model.id);

  const families::ModelContext context{model.id, model.context_tokens, model.output_tokens_max};
  CRATON_CO_TRY_ASSIGN(const families::NativeRequest request,
                       family->parse(context, call.input.payload));
  call.account.ignored_fields = joined(request.ignored_fields);

  engines::Engine* engine = call.service.engine_of(model.id);
  if (!engine) co_return no_engine(model.id);
  call.account.engine_model = engine->model();
  Result<void> ready = co_await wait_until_ready(*engine, call.service.options().model_wait);
  CRATON_CO_TRY(std::move(ready));

  const engines::Limits limits{model.context_tokens, started + call.service.options().answer_limit};
  CRATON_CO_TRY_ASSIGN(std::shared_ptr<engines::Generation> generation,
                       engine->generate(request.conversation, limits));
  tl::expected<Answer, Failure> answer = co_await collect(std::move(generation));
  if (!answer) {
    const Failure& failure = answer.error();
    if (failure.input_too_long) co_return family->too_long(*failure.input_too_long);
    co_return failure.error;
  }
  call.account.input_tokens = answer->usage.input_tokens;
  call.account.output_tokens = answer->usage.output_tokens;
  const families::ReplyContext reply{context, request, *answer, call.request_id};
  const auto latency =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started);
  co_return native_response(family->render(reply), *answer, *engine, latency);
}

}  // namespace craton::service
