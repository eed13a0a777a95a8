// Pending: a result in the making, between the engine that makes it and the caller that waits.
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
#include <utility>

#include "conversation/event.h"

namespace craton::engines {

template <class T>
class Pending {
 public:
  using Outcome = tl::expected<T, Failure>;

  /// `wake_engine` is called on the caller's thread when it gives up. It must only hand the news
  /// on.
  explicit Pending(std::function<void()> wake_engine = nullptr)
      : wake_engine_(std::move(wake_engine)) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  // The caller's side.

  /// The result, once; nullopt when it is not there yet.
  std::optional<Outcome> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(outcome_, std::nullopt);
  }

  /// Calls `wake` once, as soon as take() would give the result: at once when it is there, else on
  /// the engine's thread, where it must only hand the news on. Replaces an earlier `wake`.
  void notify(std::function<void()> wake) {
    {
      std::lock_guard lock(mutex_);
      if (!finished_) {
        wake_ = std::move(wake);
        return;
      }
    }
    wake();
  }

  /// Gives up: the engine computes nothing more for it. Drops a `wake` that waits. Idempotent.
  void cancel() {
    if (cancelled_.exchange(true, std::memory_order_relaxed)) return;
    std::function<void()> dropped;  // destroyed outside the lock: what it captured is not known
    {
      std::lock_guard lock(mutex_);
      dropped = std::exchange(wake_, nullptr);
    }
    if (wake_engine_) wake_engine_();
  }

  // The engine's side.

  /// Once.
  void finish(Outcome outcome) {
    std::function<void()> wake;
    {
      std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
      finished_ = true;
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

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
