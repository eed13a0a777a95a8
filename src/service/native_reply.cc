#include "service/native_reply.h"

#include <string>
#include <utility>

#include "service/awaited.h"
#include "service/invocation.h"

namespace craton::service {

using boost::asio::awaitable;

engines::NativeCall native_call_of(const Call& call) {
  return {call.input.payload, text_member(call.input, "accept")};
}

ReplyTake begin_take(const Call& call, const engines::Engine& engine, const catalog::Model& model,
                     const engines::NativeCall& native) {
  const auto& recorder = call.service.options().recorder;
  if (!recorder || engine.kind() == "replay") return std::nullopt;
  return recorder->begin(native,
                         {call.account->operation, model.id, engine.kind(), engine.model()});
}

Error noted(ReplyTake& take, Error error) {
  if (take) take->note(Failure{error, std::nullopt});
  return error;
}

awaitable<Result<engines::NativeReply>> relayed(std::shared_ptr<engines::Engine> engine,
                                                const engines::NativeCall& native,
                                                engines::Limits limits, ReplyTake* take) {
  Result<std::shared_ptr<engines::Replying>> begun = engine->reply(native, limits);
  if (!begun) co_return begun.error();
  Awaited<engines::NativeReply> awaited(engine, std::move(*begun));
  engines::Replying::Outcome outcome = co_await awaited.outcome();
  if (!outcome) co_return noted(*take, outcome.error().error);
  co_return std::move(*outcome);
}

http::Response response_of(engines::NativeReply reply, const Call& call,
                           const engines::Engine& engine) {
  http::Response response;
  response.body = std::move(reply.body);
  response.headers.add("Content-Type", std::move(reply.content_type));
  response.headers.add("X-Amzn-Bedrock-Invocation-Latency", std::to_string(elapsed(call).count()));
  if (reply.input_tokens) {
    response.headers.add("X-Amzn-Bedrock-Input-Token-Count", std::to_string(*reply.input_tokens));
  }
  for (auto& [name, value] : reply.headers) response.headers.add(name, std::move(value));
  add_engine_headers(engine, response);
  if (!reply.stand_in.empty()) response.headers.add("x-craton-stand-in", std::move(reply.stand_in));
  return response;
}

}  // namespace craton::service
