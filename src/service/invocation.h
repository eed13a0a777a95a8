// Invocation: what all runtime operations share: which model an id names, the engine that it is
// bound to, and the answers that run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/operation.h"
#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "conversation/event.h"
#include "engines/engine.h"
#include "engines/faults/answer_filter.h"
#include "engines/replay/recorder.h"
#include "engines/request.h"
#include "families/family.h"
#include "service/operations.h"
#include "service/service_metrics.h"

namespace craton::service {

/// A text member of an operation's input; empty when it is absent.
std::string_view text_member(const api::Input& input, std::string_view name);

/// What a family is told of `model`.
families::ModelContext context_of(const catalog::Model& model);

/// The model that `asked_id` names, as Catalog::resolve(), and as check_access(); notes the id for
/// the log.
Result<const catalog::Model*> resolve_model(const Call& call, std::string_view asked_id,
                                            catalog::Use use = catalog::Use::invoke);

/// What a request takes of quotas of tokens, as Bedrock counts.
enum class Spends {
  answer,   ///< Its input, and what is answered.
  input,    ///< Its input: of models that embed or rank it.
  request,  ///< None: of models that draw.
  nothing,  ///< Nor is it a request to the model: CountTokens.
};

/// The faults that a caller asks for, in words; empty: none.
std::string_view asked_faults(const http::Headers& headers);

/// What is asked of a model, read.
struct Asked {
  const catalog::Model& model;
  const Conversation& conversation;
  bool streamed = false;
  Spends spends = Spends::answer;
  int answers = 1;
  engines::Wanted wanted = engines::Wanted::text;
  const engines::NativeCall* native = nullptr;  ///< As engines::Request.
};

/// The engine that is to answer, once it is loaded; waits as long as the options say. Fails with
/// `model_not_ready`, or with `model_error` when it could not be loaded; and with what a fault says
/// that is to come before the answer.
boost::asio::awaitable<Result<std::shared_ptr<engines::Engine>>> ready_engine(const Call& call,
                                                                              const Asked& asked);

/// What the call asks of an engine beside its content: the model's promise, the call's deadline,
/// its service tier.
engines::Limits limits_of(const Call& call, const catalog::Model& model);

/// What the caller is told of an answer, beside its content.
struct Told {
  bool cached_tokens;  ///< False: those read from or written to a cache are counted as input.
  bool full_context;   ///< False: StopReason::full_context is given as `max_tokens`.
};

/// An answer that is being made; gives it up when it goes.
class Running {
 public:
  Running(std::shared_ptr<engines::Engine> engine, std::shared_ptr<engines::Generation> generation,
          Told told, AnswerTimer timer, const engines::faults::Struck& faults,
          std::optional<engines::replay::Recorder::Take> take)
      : engine_(std::move(engine)),
        generation_(std::move(generation)),
        told_(told),
        timer_(std::move(timer)),
        faults_(faults),
        take_(std::move(take)) {}
  Running(Running&&) noexcept = default;
  Running& operator=(Running&&) = delete;
  ~Running() {
    if (generation_) generation_->cancel();
  }

  /// The next event, when it is there.
  boost::asio::awaitable<Event> next();

  /// The next event if it is there already.
  std::optional<Event> try_next();

 private:
  std::shared_ptr<engines::Engine> engine_;  // stays while it answers
  std::shared_ptr<engines::Generation> generation_;
  std::optional<Event> try_next_made();

  Told told_;
  AnswerTimer timer_;
  engines::faults::AnswerFilter faults_;
  std::optional<engines::replay::Recorder::Take> take_;  ///< Absent: it is not recorded.
  std::vector<Event> left_;  ///< Of what the filter let pass, the next one last.
};

/// Begins `count` answers to one conversation, each with the next seed where it has one; its
/// documents are read first. Fails with `validation` when the conversation needs what `model` or
/// the model bound to it has not (eyes) or a document cannot be read, and as Engine::generate().
boost::asio::awaitable<Result<std::vector<Running>>> begin_answers(
    const Call& call, const std::shared_ptr<engines::Engine>& engine, const catalog::Model& model,
    const Conversation& conversation, int count = 1);

/// The tokens of input that begin_answers() would report, which the log is told too. Fails as it
/// does.
boost::asio::awaitable<Result<int>> counted_tokens(const Call& call,
                                                   std::shared_ptr<engines::Engine> engine,
                                                   const catalog::Model& model,
                                                   const Conversation& conversation);

/// All answers, whole; the first failure when one failed.
boost::asio::awaitable<tl::expected<std::vector<Answer>, Failure>> collect(
    std::vector<Running> running);

/// The tokens of all `answers`, for the log and for headers: their input is the same, and counted
/// once.
Usage usage_of(const std::vector<Answer>& answers);

/// Milliseconds since the call began.
Milliseconds elapsed(const Call& call);

/// The headers that say who really answers.
void add_engine_headers(const engines::Engine& engine, http::Response& response);

/// The header that says so when the call's tokens are an estimate.
void add_estimate_header(const Call& call, http::Response& response);

/// Names joined by commas.
std::string joined(const std::vector<std::string>& names);

}  // namespace craton::service
