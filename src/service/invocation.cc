#include "service/invocation.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "base/json.h"
#include "engines/refusals.h"
#include "engines/rules/request_view.h"
#include "families/attachments.h"
#include "families/embedding_family.h"
#include "http/awaitable.h"
#include "service/awaited.h"
#include "service/document_reader.h"
#include "service/model_access.h"
#include "service/permissions.h"
#include "service/quotas.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

Error no_encoder(std::string_view model_id) {
  return {ErrorCode::model_not_ready,
          "No encoder is bound to " + std::string(model_id) +
              ". Fetch one with craton pull all-minilm-l6-v2 and start the server again, or bind "
              "another: craton serve --bind '" +
              std::string(model_id) + "=FILE.gguf'."};
}

Error no_engine(std::string_view model_id) {
  if (families::embedding_family_of(model_id)) return no_encoder(model_id);
  return {ErrorCode::model_not_ready,
          "No model is bound to " + std::string(model_id) +
              ". Start the server with a model: craton serve --model NAME."};
}

/// Images need a model of the catalogue that sees, and one bound to it that does.
Result<void> refuse_unseeable(const engines::Engine& engine, const catalog::Model& model,
                              const Conversation& conversation) {
  const bool sees = model.converse.vision && engine.capabilities().images;
  if (sees || !has_images(conversation)) return {};
  return families::unsupported_block("image", "user");
}

constexpr std::pair<std::string_view, engines::Priority> tiers[] = {
    {"reserved", engines::Priority::high},
    {"priority", engines::Priority::high},
    {"flex", engines::Priority::low},
};

/// Of the service tier that the input names: as text, or in a structure of its own.
engines::Priority priority_of(const api::Input& input) {
  std::string_view asked = text_member(input, "serviceTier");
  if (const auto* tier = input.members.if_contains("serviceTier"); tier && tier->is_object()) {
    const auto* type = tier->get_object().if_contains("type");
    if (type && type->is_string()) asked = type->get_string();
  }
  for (const auto& [name, priority] : tiers) {
    if (name == asked) return priority;
  }
  return engines::Priority::normal;
}

bool tells_full_context(const catalog::Model& model) {
  const families::Family* family = families::chat_family_of(model.id);
  return family && family->tells_full_context && family->tells_full_context(model.id);
}

/// What is replayed is recorded already.
std::optional<engines::replay::Recorder::Take> take_of(const Call& call,
                                                       const engines::Engine& engine,
                                                       const catalog::Model& model,
                                                       const Conversation& asked) {
  const auto& recorder = call.service.options().recorder;
  if (!recorder || engine.kind() == "replay") return std::nullopt;
  return recorder->begin(asked, {call.account->operation, model.id, engine.kind(), engine.model()});
}

Result<std::vector<Running>> start(const Call& call, const std::shared_ptr<engines::Engine>& engine,
                                   const catalog::Model& model, const Conversation& asked,
                                   const Conversation& conversation, int count) {
  const engines::Limits limits = limits_of(call, model);
  const Told told{.cached_tokens = conversation.caching, .full_context = tells_full_context(model)};
  const Account& account = *call.account;
  const AnswerLabels labels{account.gen_ai_operation, account.request_model, account.engine_model};
  std::vector<Running> running;
  for (int i = 0; i < count; ++i) {
    Conversation own = conversation;
    if (own.sampling.seed) *own.sampling.seed += static_cast<std::uint32_t>(i);
    CRATON_TRY_ASSIGN(std::shared_ptr<engines::Generation> generation,
                      engine->generate(std::move(own), limits));
    const auto what = i == 0 ? AnswerTimer::What::everything : AnswerTimer::What::tokens_alone;
    running.emplace_back(engine, std::move(generation), told,
                         AnswerTimer(call.service.metrics(), labels, call.started, what),
                         call.account->faults, take_of(call, *engine, model, asked));
  }
  return running;
}

/// The members of `requestMetadata`: of an object, or of one in a header's text.
std::vector<std::pair<std::string, std::string>> metadata_of(const api::Input& input) {
  const auto* member = input.members.if_contains("requestMetadata");
  if (!member) return {};
  json::value read;
  if (member->is_string()) {
    read = json::parse(member->get_string()).value_or(nullptr);
    member = &read;
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!member->is_object()) return pairs;
  for (const auto& [key, value] : member->get_object()) {
    if (value.is_string()) pairs.emplace_back(key, value.get_string());
  }
  return pairs;
}

/// Adds the faults that the caller asked for, one or several behind commas.
Result<void> add_asked_faults(std::string_view header, engines::rules::RequestView& request,
                              engines::faults::Struck& struck) {
  while (!header.empty()) {
    const std::string_view one = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), one.size() + 1));
    CRATON_TRY_ASSIGN(engines::faults::Fault fault,
                      engines::faults::read_fault_words(one, "x-craton-fault"));
    engines::faults::FaultSet set;
    CRATON_TRY(set.add(std::move(fault)));
    set.draw(request, struck);
  }
  return {};
}

/// The engine, and with it what is to go wrong: what the caller asked for goes first.
Result<FoundEngine> find_engine(const Call& call, const Asked& asked) {
  const engines::Request request{
      .operation = call.account->operation,
      .model_id = asked.model.id,
      .asked_id = call.account->model_id,
      .streamed = asked.streamed,
      .metadata = metadata_of(call.input),
      .conversation = asked.conversation,
      .wanted = asked.wanted,
      .native = asked.native,
      .header = [&headers = call.headers](std::string_view name) { return headers.find(name); }};
  engines::rules::RequestView view(request);
  CRATON_TRY(add_asked_faults(asked_faults(call.headers), view, call.account->faults));
  FoundEngine found = call.service.engine_for(request);
  for (auto& fault : found.faults) call.account->faults.push_back(std::move(fault));
  return found;
}

awaitable<void> start_late(const Call& call) {
  for (const auto& fault : call.account->faults) {
    if (fault->kind != engines::faults::Kind::slow_start) continue;
    co_await http::sleep_for(fault->wait);
  }
}

Result<void> refuse_by_fault(const Call& call) {
  for (const auto& fault : call.account->faults) {
    if (fault->kind != engines::faults::Kind::exception || fault->at > 0) continue;
    return Error{fault->code, fault->message};
  }
  return {};
}

}  // namespace

std::string_view asked_faults(const http::Headers& headers) {
  return headers.find("x-craton-fault").value_or(std::string_view());
}

std::string_view text_member(const api::Input& input, std::string_view name) {
  const auto* member = input.members.if_contains(name);
  return member && member->is_string() ? std::string_view(member->get_string())
                                       : std::string_view();
}

families::ModelContext context_of(const catalog::Model& model) {
  return {model.id, model.context_tokens, model.output_tokens_max, model.converse.prompt_caching};
}

engines::Limits limits_of(const Call& call, const catalog::Model& model) {
  return {model.context_tokens, call.started + call.service.options().answer_limit,
          priority_of(call.input)};
}

Result<const catalog::Model*> resolve_model(const Call& call, std::string_view asked_id,
                                            catalog::Use use) {
  call.account->model_id = asked_id.substr(0, 256);
  CRATON_TRY_ASSIGN(const catalog::Invocable invocable,
                    call.service.catalog().resolve(call.region, asked_id, use));
  call.account->request_model = invocable.model->id;
  call.account->profile_id = invocable.profile_id;
  CRATON_TRY(check_permission(call, invocable));
  CRATON_TRY(check_access(call, *invocable.model));
  return invocable.model;
}

awaitable<Result<std::shared_ptr<engines::Engine>>> ready_engine(const Call& call,
                                                                 const Asked& asked) {
  CRATON_CO_TRY(take_quota(call, asked));
  Result<FoundEngine> found = find_engine(call, asked);
  if (!found) co_return found.error();
  co_await start_late(call);
  CRATON_CO_TRY(refuse_by_fault(call));
  const std::shared_ptr<engines::Engine> engine = std::move(found->engine);
  if (!engine) co_return found->why_none.value_or(no_engine(asked.model.id));
  call.account->engine_kind = engine->kind();
  call.account->engine_model = engine->model();
  if (engine->status().state == engines::State::loading) {
    const SteadyTime deadline =
        std::chrono::steady_clock::now() + call.service.options().model_wait;
    const http::Subscribe subscribe = [engine = engine.get()](std::function<void()> wake) {
      engine->notify_loaded(std::move(wake));
    };
    co_await http::wait_until(subscribe, deadline);
  }
  const engines::Status status = engine->status();
  switch (status.state) {
    case engines::State::ready: co_return engine;
    case engines::State::loading: co_return engines::not_ready();
    case engines::State::failed: break;
  }
  co_return engines::not_loaded(status.reason);
}

std::optional<Event> Running::try_next() {
  if (!faults_.changes()) return try_next_made();
  while (left_.empty()) {
    std::optional<Event> event = try_next_made();
    if (!event) return event;
    faults_.pass(std::move(*event), left_);
    std::ranges::reverse(left_);
  }
  std::optional<Event> event = std::move(left_.back());
  left_.pop_back();
  return event;
}

std::optional<Event> Running::try_next_made() {
  std::optional<Event> event = generation_->try_next();
  if (event) timer_.note(*event);
  if (event && take_) take_->note(*event);
  if (!event) return event;
  if (auto* stop = std::get_if<MessageStop>(&*event); stop && !told_.full_context) {
    if (stop->reason == StopReason::full_context) stop->reason = StopReason::max_tokens;
  }
  if (told_.cached_tokens) return event;
  if (auto* usage = std::get_if<Usage>(&*event)) *usage = without_cache(*usage);
  if (auto* start = std::get_if<MessageStart>(&*event)) start->usage = without_cache(start->usage);
  return event;
}

awaitable<Event> Running::next() {
  const std::shared_ptr<engines::Generation> generation = generation_;
  const http::Subscribe subscribe = [generation](std::function<void()> wake) {
    generation->notify(std::move(wake));
  };
  while (true) {
    if (std::optional<Event> event = try_next()) co_return std::move(*event);
    co_await http::wait_until(subscribe, std::nullopt);
  }
}

awaitable<Result<std::vector<Running>>> begin_answers(
    const Call& call, const std::shared_ptr<engines::Engine>& engine, const catalog::Model& model,
    const Conversation& conversation, int count) {
  call.account->gen_ai_operation = conversation.raw_completion ? "text_completion" : "chat";
  CRATON_CO_TRY(refuse_unseeable(*engine, model, conversation));
  if (!has_documents(conversation))
    co_return start(call, engine, model, conversation, conversation, count);
  Result<Conversation> read = co_await with_documents_read(call.service.workers(), conversation);
  if (!read) co_return read.error();
  co_return start(call, engine, model, conversation, *read, count);
}

awaitable<Result<int>> counted_tokens(const Call& call, std::shared_ptr<engines::Engine> engine,
                                      const catalog::Model& model,
                                      const Conversation& conversation) {
  CRATON_CO_TRY(refuse_unseeable(*engine, model, conversation));
  const Conversation* counted = &conversation;
  std::optional<Conversation> read;
  if (has_documents(conversation)) {
    Result<Conversation> result =
        co_await with_documents_read(call.service.workers(), conversation);
    if (!result) co_return result.error();
    read = std::move(*result);
    counted = &*read;
  }
  Result<std::shared_ptr<engines::Counting>> begun =
      engine->begin_count(*counted, limits_of(call, model));
  if (!begun) co_return begun.error();
  Awaited<engines::TokenCount> awaited(engine, std::move(*begun));
  const engines::Counting::Outcome outcome = co_await awaited.outcome();
  if (!outcome) co_return outcome.error().error;
  call.account->input_tokens = outcome->tokens;
  call.account->tokens_estimated = outcome->estimated;
  co_return outcome->tokens;
}

awaitable<tl::expected<std::vector<Answer>, Failure>> collect(std::vector<Running> running) {
  std::vector<Answer> answers;
  for (Running& one : running) {
    AnswerBuilder builder;
    while (!builder.complete()) {
      Event event = co_await one.next();
      builder.add(std::move(event));
    }
    tl::expected<Answer, Failure> answer = builder.take();
    if (!answer) co_return tl::unexpected(std::move(answer.error()));
    answers.push_back(std::move(*answer));
  }
  co_return answers;
}

Usage usage_of(const std::vector<Answer>& answers) {
  Usage usage = answers.front().usage;
  usage.output_tokens = 0;
  for (const Answer& answer : answers) usage.output_tokens += answer.usage.output_tokens;
  return usage;
}

Milliseconds elapsed(const Call& call) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - call.started);
}

void add_engine_headers(const engines::Engine& engine, http::Response& response) {
  response.headers.add("x-craton-engine", std::string(engine.kind()));
  response.headers.add("x-craton-model", std::string(engine.model()));
}

void add_estimate_header(const Call& call, http::Response& response) {
  if (call.account->tokens_estimated) {
    response.headers.add("x-craton-stand-in", "tokens estimated");
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

}  // namespace craton::service
