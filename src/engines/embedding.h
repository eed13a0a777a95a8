// Embedding: vectors in the making, between the engine that makes them and the caller that waits.
// What Generation is to an answer; there is one result and no stream.
//
//   engine thread ── finish(result) ──►            ── take() ──► caller's thread
//                 ◄── cancelled() ──               ◄── cancel() ──
//
// Threads: every function may be called from any thread; at most one thread is the caller.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <tl/expected.hpp>

#include "conversation/embedding.h"
#include "conversation/event.h"

namespace craton::engines {

class Embedding {
 public:
  using Outcome = tl::expected<Embeddings, Failure>;

  /// `wake_engine` is called on the caller's thread when it gives up. It must only hand the news
  /// on.
  explicit Embedding(std::function<void()> wake_engine = nullptr)
      : wake_engine_(std::move(wake_engine)) {}
  Embedding(const Embedding&) = delete;
  Embedding& operator=(const Embedding&) = delete;

  // The caller's side.

  /// The result, once; nullopt when it is not there yet.
  std::optional<Outcome> take();

  /// Calls `wake` once, as soon as take() would give the result: at once when it is there, else on
  /// the engine's thread, where it must only hand the news on. Replaces an earlier `wake`.
  void notify(std::function<void()> wake);

  /// Gives up: the engine computes nothing more for it. Drops a `wake` that waits. Idempotent.
  void cancel();

  // The engine's side.

  /// Once.
  void finish(Outcome outcome);

  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  const std::function<void()> wake_engine_;
  std::mutex mutex_;
  std::optional<Outcome> outcome_;
  bool finished_ = false;
  std::function<void()> wake_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace craton::engines
