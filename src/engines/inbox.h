// Inbox: what callers leave for an engine's thread, and how many requests it holds.
//
// Threads: any function may be called from any thread; one of them takes.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace craton::engines {

/// Outlives the engine: what callers hold refers to it.
template <class Request>
class Inbox {
 public:
  /// `ring` is called for every put() and nudge(), on the caller's thread: for an engine that waits
  /// for other things too, and so not in wait().
  explicit Inbox(std::function<void()> ring = nullptr) : ring_(std::move(ring)) {}

  /// A place among the requests that the engine holds, `places` at most; given back on destruction.
  /// Null when there is none.
  std::shared_ptr<void> take_place(int places) {
    std::lock_guard lock(mutex_);
    if (taken_ >= places) return nullptr;
    ++taken_;
    return {this, [](Inbox* inbox) { inbox->give_place_back(); }};
  }

  void put(Request request) {
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    changed_.notify_one();
    if (ring_) ring_();
  }

  int places_taken() {
    std::lock_guard lock(mutex_);
    return taken_;
  }

  /// Something outside changed: look again.
  void nudge() {
    {
      std::lock_guard lock(mutex_);
      nudged_ = true;
    }
    changed_.notify_one();
    if (ring_) ring_();
  }

  std::vector<Request> take() {
    std::lock_guard lock(mutex_);
    nudged_ = false;
    return std::exchange(requests_, {});
  }

  /// Sleeps until put() or nudge() since the last take(), or until `deadline`.
  void wait(std::optional<SteadyTime> deadline) {
    std::unique_lock lock(mutex_);
    const auto news = [&] { return nudged_ || !requests_.empty(); };
    deadline ? (void)changed_.wait_until(lock, *deadline, news) : changed_.wait(lock, news);
  }

 private:
  void give_place_back() {
    std::lock_guard lock(mutex_);
    --taken_;
  }

  const std::function<void()> ring_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  int taken_ = 0;
  bool nudged_ = false;
};

}  // namespace craton::engines
