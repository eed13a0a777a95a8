// Engine: what answers a Conversation, turns texts into vectors, or draws. A family knows nothing
// of engines; an engine nothing of families.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "conversation/conversation.h"
#include "conversation/drawing.h"
#include "conversation/embedding.h"
#include "engines/generation.h"
#include "engines/native_call.h"
#include "engines/pending.h"
#include "metrics/instruments.h"

namespace craton::engines {

using Embedding = Pending<Embeddings>;
using Drawing = Pending<Drawings>;
using Replying = Pending<NativeReply>;

enum class State {
  loading,  ///< Not yet: wait, or answer ModelNotReadyException.
  ready,
  failed,  ///< For good; `reason` says why.
};

struct Status {
  State state;
  std::string reason;  ///< For the operator, when failed. Callers are told it by not_loaded().
};

/// Which request's turn comes first where not all fit: Bedrock's service tiers.
enum class Priority { high, normal, low };

/// What a caller asks beside the conversation itself.
struct Limits {
  /// Most tokens of input that the asked-for model id promises to take; the engine's own context
  /// may be smaller. Absent: the engine's own.
  std::optional<int> context_tokens = std::nullopt;
  /// Past it the answer ends with ModelTimeoutException.
  std::optional<SteadyTime> deadline = std::nullopt;
  Priority priority = Priority::normal;
};

/// What the bound model can do.
struct Capabilities {
  bool images = false;      ///< Sees the images of a conversation, or makes vectors of them.
  bool reasoning = false;   ///< Thinks before it answers, when asked to.
  bool text = true;         ///< Continues text: generate() and count_tokens().
  bool embeddings = false;  ///< Turns texts into vectors, or ranks them: embed().
  bool drawings = false;    ///< Makes pictures: draw().
  bool native = false;      ///< Has the provider's own form: reply(), in place of the two.
};

/// What an engine does, for an operator. Each number is a moment of its own.
struct EngineStats {
  int queue_length = 0;   ///< Requests that hold a place and are not computed yet.
  int running = 0;        ///< Answers that are being computed.
  int kv_cells = 0;       ///< Tokens that the KV cache has room for.
  int kv_cells_used = 0;  ///< Of those, held by answers that are being computed.
  int kv_cells_kept = 0;  ///< Of those, kept of answers before, for prompts that begin alike.
  double drawn = 0;       ///< Of the steps of the picture that is being drawn: 0 to 1.

  // Since the engine began.
  std::uint64_t prompt_tokens = 0;      ///< Of the prompts whose turn has come.
  std::uint64_t prefix_hit_tokens = 0;  ///< Of those, found in the KV cache.
  std::uint64_t generated_tokens = 0;
  std::uint64_t evictions = 0;       ///< Answers that gave up their cells to older ones.
  metrics::HistogramCounts steps{};  ///< Seconds of each step: a batch, or an image.
};

/// Whether one of several servers that answer for an engine gets requests.
enum class ReplicaState {
  ready,
  resting,   ///< It misbehaved, and gets none for a while.
  on_trial,  ///< The same, and the next request shows whether it is well again.
  down,      ///< It does not answer when it is asked how it is.
};

struct ReplicaStats {
  std::string name;  ///< Where it is: "http://10.0.0.2:8000".
  ReplicaState state = ReplicaState::ready;
  int outstanding = 0;  ///< Requests that it has not answered yet.

  // Since the engine began.
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  ///< Of those, that it did not answer as it should.
};

/// Tokens of a prompt.
struct TokenCount {
  int tokens = 0;
  bool estimated = false;  ///< The model's tokenizer could not be asked.
};
using Counting = Pending<TokenCount>;

/// Any function may be called from any thread. Destroying an engine ends the answers that nobody
/// has cancelled with a Failure.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Value of the `x-craton-engine` header: "llama".
  virtual std::string_view kind() const = 0;

  /// Value of the `x-craton-model` header: which weights answer
  /// ("qwen2.5-coder-0.5b-instruct-q4_k_m").
  virtual std::string_view model() const = 0;

  virtual Status status() const = 0;

  /// Calls `wake` once when status() is no longer `loading`: at once, or on the engine's thread.
  /// Never, when the engine is destroyed before that.
  virtual void notify_loaded(std::function<void()> wake) = 0;

  /// Known once status() is `ready`. A conversation that asks for more is refused by the caller.
  virtual Capabilities capabilities() const { return {}; }

  /// Never waits for the model.
  virtual EngineStats stats() const { return {}; }

  /// Of each server that answers for the engine, where those are others than this one.
  virtual std::vector<ReplicaStats> replicas() const { return {}; }

  /// Starts an answer; its events arrive in the Generation. Never blocks on the model.
  /// Fails with `model_not_ready` while loading, `model_error` when failed, `throttling` when the
  /// queue is full, `validation` when the model's chat template refuses the conversation. A prompt
  /// that is too long, a passed deadline and what else ends an answer arrives as a Failure event.
  virtual Result<std::shared_ptr<Generation>> generate(Conversation conversation,
                                                       const Limits& limits) = 0;

  /// Tokens of the prompt that generate() would compute; past the engine's context, where
  /// generate() computes nothing, an estimate. Fails as generate() does.
  virtual Result<int> count_tokens(const Conversation& conversation) = 0;

  /// The same, by an engine that has to ask another server; it arrives in the Counting.
  virtual Result<std::shared_ptr<Counting>> begin_count(Conversation conversation, const Limits&) {
    CRATON_TRY_ASSIGN(const int tokens, count_tokens(conversation));
    auto counting = std::make_shared<Counting>();
    counting->finish(TokenCount{tokens});
    return counting;
  }

  /// Starts to make vectors; they arrive in the Embedding. Never blocks on the model. Only where
  /// capabilities() has `embeddings`. Fails as generate() does, but for chat templates. A text that
  /// is too long, or that has no tokens, a passed deadline and what else ends it arrives as a
  /// Failure.
  virtual Result<std::shared_ptr<Embedding>> embed(EmbeddingRequest, const Limits&) {
    return Error{ErrorCode::model_error, "The model that answers here makes no embeddings."};
  }

  /// Starts to draw; the pictures arrive in the Drawing. Never blocks on the model. Only where
  /// capabilities() has `drawings`. Fails as generate() does, but for chat templates; with
  /// `validation` when it cannot do what is asked. What ends it later arrives as a Failure.
  virtual Result<std::shared_ptr<Drawing>> draw(DrawingRequest, const Limits&) {
    return Error{ErrorCode::model_error, "The model that answers here makes no images."};
  }

  /// Answers a call for vectors or pictures in the form that the provider gives it; the reply
  /// arrives in the Replying. Only where capabilities() has `native`. Fails as generate() does, but
  /// for chat templates; what ends it later arrives as a Failure.
  virtual Result<std::shared_ptr<Replying>> reply(NativeCall, const Limits&) {
    return Error{ErrorCode::model_error, "What answers here does not speak this model's schema."};
  }
};

}  // namespace craton::engines
