#include "service/embedding.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engines/engine.h"
#include "engines/refusals.h"
#include "service/awaited.h"
#include "service/invocation.h"
#include "service/native_reply.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

/// Noise in place of an image's vector would be found by no test of an application's.
Result<void> refuse_unseeable(const engines::Engine& engine, const catalog::Model& model,
                              const EmbeddingRequest& request) {
  const bool sees = engine.capabilities().images;
  const auto has_image = [](const EmbeddingItem& item) { return item.image.has_value(); };
  if (sees || std::ranges::none_of(request.items, has_image)) return {};
  return Error{ErrorCode::validation,
               "The encoder that answers " + std::string(model.id) +
                   " here reads text alone: images cannot be embedded. Send text and try again."};
}

/// What conditions of rules and faults look at: the texts, as a user's turn.
Conversation told_to_rules(const EmbeddingRequest& request) {
  Turn turn{Role::user, {}};
  for (const EmbeddingItem& item : request.items) {
    if (item.text) turn.content.emplace_back(TextBlock{*item.text});
  }
  Conversation conversation;
  conversation.turns.push_back(std::move(turn));
  return conversation;
}

engines::Wanted wanted_of(const EmbeddingRequest& request) {
  return request.task == EmbeddingTask::rank ? engines::Wanted::ranking
                                             : engines::Wanted::embeddings;
}

int tokens_of(const Embeddings& made) {
  int tokens = 0;
  for (const EmbeddingVector& vector : made.vectors) tokens += vector.tokens;
  return tokens;
}

void count(const Call& call, int tokens) {
  Account& account = *call.account;
  account.input_tokens = tokens;
  call.service.metrics()
      ->answers({account.gen_ai_operation, account.request_model, account.engine_model})
      .input_tokens.observe(tokens);
}

/// What the encoder makes of it, in the form of the provider.
awaitable<Result<engines::NativeReply>> embedded(const Call& call, const catalog::Model& model,
                                                 const families::EmbeddingFamily& family,
                                                 const families::NativeEmbedding& native,
                                                 std::shared_ptr<engines::Engine> engine,
                                                 ReplyTake* take) {
  CRATON_CO_TRY(refuse_unseeable(*engine, model, native.request));
  Result<std::shared_ptr<engines::Embedding>> begun =
      engine->embed(native.request, limits_of(call, model));
  if (!begun) co_return begun.error();
  Awaited<Embeddings> awaited(engine, std::move(*begun));
  engines::Embedding::Outcome outcome = co_await awaited.outcome();
  if (!outcome) {
    const Failure& failure = outcome.error();
    co_return noted(
        *take, failure.input_too_long ? family.too_long(*failure.input_too_long) : failure.error);
  }
  const families::EmbeddingReply reply{context_of(model), native, *outcome, call.request_id};
  families::RenderedEmbedding rendered = family.render(reply);
  engines::NativeReply made;
  made.body = std::move(rendered.body);
  made.stand_in = std::move(rendered.stand_in);
  made.input_tokens = tokens_of(*outcome);
  co_return made;
}

}  // namespace

awaitable<Result<http::Response>> invoke_embedding(const Call& call, const catalog::Model& model,
                                                   const families::EmbeddingFamily& family) {
  call.account->gen_ai_operation = family.operation;
  CRATON_CO_TRY_ASSIGN(const families::NativeEmbedding native,
                       family.parse(context_of(model), call.input.payload));
  const Conversation told = told_to_rules(native.request);
  const engines::NativeCall sent = native_call_of(call);
  const Asked asked{.model = model,
                    .conversation = told,
                    .spends = Spends::input,
                    .wanted = wanted_of(native.request),
                    .native = &sent};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, asked);
  if (!engine) co_return engine.error();
  ReplyTake take = begin_take(call, **engine, model, sent);
  Result<engines::NativeReply> reply = engines::model_broke();
  if ((*engine)->capabilities().native) {
    reply = co_await relayed(*engine, sent, limits_of(call, model), &take);
  } else {
    reply = co_await embedded(call, model, family, native, *engine, &take);
  }
  if (!reply) co_return reply.error();
  if (take) take->note(*reply);
  if (reply->input_tokens) count(call, *reply->input_tokens);
  co_return response_of(std::move(*reply), call, **engine);
}

}  // namespace craton::service
