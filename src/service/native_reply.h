// NativeReply on its way from whoever answers to the caller: asked of an engine that has the
// provider's own form, taken down by the recorder, written as a response.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>

#include "base/result.h"
#include "catalog/catalog.h"
#include "engines/engine.h"
#include "engines/native_call.h"
#include "engines/replay/recorder.h"
#include "http/message.h"
#include "service/operations.h"

namespace craton::service {

/// Absent: it is not recorded.
using ReplyTake = std::optional<engines::replay::Recorder::Take>;

/// The call as the caller sent it; holds as long as `call`.
engines::NativeCall native_call_of(const Call& call);

/// Begins to take down what `engine` answers; what is replayed is recorded already.
ReplyTake begin_take(const Call& call, const engines::Engine& engine, const catalog::Model& model,
                     const engines::NativeCall& native);

/// What ended the answer, for the record too.
Error noted(ReplyTake& take, Error error);

/// What `engine`, which has the provider's own form, answers. Fails as Engine::reply(), and with
/// what ended the answer. `native` and `take` outlive the wait.
boost::asio::awaitable<Result<engines::NativeReply>> relayed(
    std::shared_ptr<engines::Engine> engine, const engines::NativeCall& native,
    engines::Limits limits, ReplyTake* take);

/// A 200 with the reply.
http::Response response_of(engines::NativeReply reply, const Call& call,
                           const engines::Engine& engine);

}  // namespace craton::service
