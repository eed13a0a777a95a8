#include "service/drawing.h"

#include <array>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "engines/engine.h"
#include "engines/refusals.h"
#include "service/awaited.h"
#include "service/invocation.h"
#include "service/native_reply.h"
#include "service/off_thread.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;
using families::NativeDrawing;
using families::RenderedDrawing;

/// What conditions of rules and faults look at: the words of what is to be seen, as a user's turn.
Conversation told_to_rules(const DrawingRequest& request) {
  Turn turn{Role::user, {}};
  for (const PromptPart& part : request.prompts) {
    if (part.weight > 0) turn.content.emplace_back(TextBlock{part.text});
  }
  Conversation conversation;
  conversation.turns.push_back(std::move(turn));
  return conversation;
}

/// What the worker that reads a body keeps.
struct Reading {
  const families::ImageFamily& family;
  const catalog::Model& model;
  const std::string body;
};

Error no_memory() {
  return {ErrorCode::service_unavailable,
          "The server has no memory for these pictures now. Try your request again."};
}

Result<NativeDrawing> read(const Reading& reading) try {
  return reading.family.parse(context_of(reading.model), reading.body);
} catch (const std::bad_alloc&) {
  return no_memory();
}

/// What the worker that writes a reply keeps.
struct Writing {
  const families::ImageFamily& family;
  const families::DrawingForm form;
  const Drawings made;
  const std::string accept;
  const std::string software;  ///< "Craton, engine canvas, model canvas"
};

Result<RenderedDrawing> write(const Writing& writing) try {
  const std::string& stand_in = writing.made.stand_in;
  const std::array texts{media::FileText{"Software", writing.software},
                         media::FileText{"Comment", stand_in}};
  const std::span<const media::FileText> told(texts.data(), stand_in.empty() ? 1 : 2);
  return writing.family.render({writing.form, writing.made, writing.accept, told});
} catch (const std::bad_alloc&) {
  return no_memory();
}

std::string software_of(const engines::Engine& engine) {
  return "Craton, engine " + std::string(engine.kind()) + ", model " + std::string(engine.model());
}

/// The native body, read by a worker: pictures are decoded.
awaitable<Result<NativeDrawing>> read_body(const Call& call, const catalog::Model& model,
                                           const families::ImageFamily& family) {
  const auto reading =
      std::make_shared<const Reading>(family, model, std::string(call.input.payload));
  std::function<Result<NativeDrawing>()> work = [reading] { return read(*reading); };
  Result<NativeDrawing> native = co_await off_thread(call.service.workers(), std::move(work));
  co_return native;
}

/// The native reply, written by a worker: pictures are encoded.
awaitable<Result<RenderedDrawing>> write_reply(const Call& call,
                                               std::shared_ptr<const Writing> writing) {
  std::function<Result<RenderedDrawing>()> work = [writing] { return write(*writing); };
  Result<RenderedDrawing> rendered = co_await off_thread(call.service.workers(), std::move(work));
  co_return rendered;
}

/// The pictures, once they are drawn.
awaitable<Result<Drawings>> drawn(const Call& call, const catalog::Model& model,
                                  std::shared_ptr<engines::Engine> engine, DrawingRequest request,
                                  ReplyTake* take) {
  Result<std::shared_ptr<engines::Drawing>> begun =
      engine->draw(std::move(request), limits_of(call, model));
  if (!begun) co_return begun.error();
  Awaited<Drawings> awaited(engine, std::move(*begun));
  engines::Drawing::Outcome outcome = co_await awaited.outcome();
  if (!outcome) co_return noted(*take, outcome.error().error);
  co_return std::move(*outcome);
}

/// What the engine draws, in the form of the provider.
awaitable<Result<engines::NativeReply>> drawn_reply(const Call& call, const catalog::Model& model,
                                                    const families::ImageFamily& family,
                                                    NativeDrawing& native,
                                                    std::shared_ptr<engines::Engine> engine,
                                                    ReplyTake* take) {
  Result<Drawings> made = co_await drawn(call, model, engine, std::move(native.request), take);
  if (!made) co_return made.error();
  engines::NativeReply reply;
  reply.stand_in = made->stand_in;
  auto writing = std::make_shared<const Writing>(family, native.form, std::move(*made),
                                                 std::string(text_member(call.input, "accept")),
                                                 software_of(*engine));
  Result<RenderedDrawing> rendered = co_await write_reply(call, std::move(writing));
  if (!rendered) co_return rendered.error();
  reply.body = std::move(rendered->body);
  reply.content_type = std::move(rendered->content_type);
  reply.headers = std::move(rendered->headers);
  co_return reply;
}

}  // namespace

awaitable<Result<http::Response>> invoke_drawing(const Call& call, const catalog::Model& model,
                                                 const families::ImageFamily& family) {
  call.account->gen_ai_operation = "generate_content";
  Result<NativeDrawing> native = co_await read_body(call, model, family);
  if (!native) co_return native.error();
  const Conversation told = told_to_rules(native->request);
  const engines::NativeCall sent = native_call_of(call);
  const Asked asked{.model = model,
                    .conversation = told,
                    .spends = Spends::request,
                    .wanted = engines::Wanted::drawings,
                    .native = &sent};
  Result<std::shared_ptr<engines::Engine>> engine = co_await ready_engine(call, asked);
  if (!engine) co_return engine.error();
  ReplyTake take = begin_take(call, **engine, model, sent);
  Result<engines::NativeReply> reply = engines::model_broke();
  if ((*engine)->capabilities().native) {
    reply = co_await relayed(*engine, sent, limits_of(call, model), &take);
  } else {
    reply = co_await drawn_reply(call, model, family, *native, *engine, &take);
  }
  if (!reply) co_return reply.error();
  if (take) take->note(*reply);
  co_return response_of(std::move(*reply), call, **engine);
}

}  // namespace craton::service
