#include "service/embedding.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engines/engine.h"
#include "service/awaited.h"
#include "service/invocation.h"

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

/// What conditions of faults look at: the texts, as a user's turn.
Conversation told_to_faults(const EmbeddingRequest& request) {
  Turn turn{Role::user, {}};
  for (const EmbeddingItem& item : request.items) {
    if (item.text) turn.content.emplace_back(TextBlock{*item.text});
  }
  Conversation conversation;
  conversation.turns.push_back(std::move(turn));
  return conversation;
}

int tokens_of(const Embeddings& made) {
  int tokens = 0;
  for (const EmbeddingVector& vector : made.vectors) tokens += vector.tokens;
  return tokens;
}

http::Response response_of(families::RenderedEmbedding rendered, int tokens, const Call& call,
                           const engines::Engine& engine) {
  http::Response response = json_response(std::move(rendered.body));
  response.headers.add("X-Amzn-Bedrock-Invocation-Latency", std::to_string(elapsed(call).count()));
  response.headers.add("X-Amzn-Bedrock-Input-Token-Count", std::to_string(tokens));
  add_engine_headers(engine, response);
  if (!rendered.stand_in.empty()) response.headers.add("x-craton-stand-in", rendered.stand_in);
  return response;
}

void count(const Call& call, int tokens) {
  Account& account = *call.account;
  account.input_tokens = tokens;
  call.service.metrics()
      ->answers({account.gen_ai_operation, account.request_model, account.engine_model})
      .input_tokens.observe(tokens);
}

}  // namespace

awaitable<Result<http::Response>> invoke_embedding(const Call& call, const catalog::Model& model,
                                                   const families::EmbeddingFamily& family) {
  call.account->gen_ai_operation = family.operation;
  const families::ModelContext context = context_of(model);
  CRATON_CO_TRY_ASSIGN(const families::NativeEmbedding native,
                       family.parse(context, call.input.payload));
  const Conversation told = told_to_faults(native.request);
  const Asked asked{model, told, false, Spends::input};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, asked);
  if (!engine) co_return engine.error();
  CRATON_CO_TRY(refuse_unseeable(**engine, model, native.request));
  Result<std::shared_ptr<engines::Embedding>> begun =
      (*engine)->embed(native.request, limits_of(call, model));
  if (!begun) co_return begun.error();
  Awaited<Embeddings> awaited(*engine, std::move(*begun));
  engines::Embedding::Outcome outcome = co_await awaited.outcome();
  if (!outcome) {
    const Failure& failure = outcome.error();
    co_return failure.input_too_long ? family.too_long(*failure.input_too_long) : failure.error;
  }
  const int tokens = tokens_of(*outcome);
  count(call, tokens);
  const families::EmbeddingReply reply{context, native, *outcome, call.request_id};
  co_return response_of(family.render(reply), tokens, call, **engine);
}

}  // namespace craton::service
