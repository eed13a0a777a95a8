// LoadState: whether an engine's model is there, and who waits for it.
//
// Threads: any function may be called from any thread.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "engines/engine.h"

namespace craton::engines {

class LoadState {
 public:
  Status status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }

  /// As Engine::notify_loaded().
  void notify(std::function<void()> wake) {
    {
      std::lock_guard lock(mutex_);
      if (status_.state == State::loading) {
        waiting_.push_back(std::move(wake));
        return;
      }
    }
    wake();
  }

  /// Wakes those who wait, on this thread.
  void publish(Status status) {
    std::vector<std::function<void()>> waiting;
    {
      std::lock_guard lock(mutex_);
      status_ = std::move(status);
      waiting.swap(waiting_);
    }
    for (const auto& wake : waiting) wake();
  }

 private:
  mutable std::mutex mutex_;
  Status status_{State::loading, {}};
  std::vector<std::function<void()>> waiting_;
};

}  // namespace craton::engines
