// Generation: one answer in the making, between the engine that makes it and the caller that waits.
//
//   engine thread ── offer(event) ──►  bounded queue  ── try_next() ──► caller's thread
//                 ◄── cancelled() ──                  ◄── cancel() ──
//                 ◄── wake_engine ──  room again, or given up
//
// The two sides share nothing else, so an engine may as well sit in another process.
//
// Threads: every function may be called from any thread; at most one thread is the caller.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "conversation/event.h"

namespace craton::engines {

class Generation {
 public:
  /// Events that wait unread before offer() refuses more: a slow reader slows its own answer only.
  static constexpr std::size_t events_max = 256;

  /// `wake_engine` is called on the caller's thread when half the queue is free again after offer()
  /// refused, and when the answer is given up. It must only hand the news on.
  explicit Generation(std::function<void()> wake_engine = nullptr)
      : wake_engine_(std::move(wake_engine)) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // The caller's side.

  /// The next event; nullopt when none is there yet.
  std::optional<Event> try_next();

  /// Calls `wake` once, as soon as try_next() would give an event: at once when one is there, else
  /// on the engine's thread, where it must only hand the news on. Replaces an earlier `wake`.
  void notify(std::function<void()> wake);

  /// Gives the answer up: the engine frees what it holds before its next step, and nothing more
  /// need arrive. Drops a `wake` that waits. Idempotent.
  void cancel();

  // The engine's side.

  /// False, taking nothing, when `events_max` events wait unread. Failure and Usage, the last
  /// events of an answer, are always taken.
  bool offer(Event event);

  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  const std::function<void()> wake_engine_;
  std::mutex mutex_;
  std::deque<Event> events_;
  bool refused_ = false;  ///< offer() said no, and the engine has not been told of room since.
  std::function<void()> wake_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace craton::engines
