#include "engines/embedding.h"

#include <utility>

namespace craton::engines {

std::optional<Embedding::Outcome> Embedding::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(outcome_, std::nullopt);
}

void Embedding::notify(std::function<void()> wake) {
  {
    std::lock_guard lock(mutex_);
    if (!finished_) {
      wake_ = std::move(wake);
      return;
    }
  }
  wake();
}

void Embedding::cancel() {
  if (cancelled_.exchange(true, std::memory_order_relaxed)) return;
  std::function<void()> dropped;  // destroyed outside the lock: what it captured is not known here
  {
    std::lock_guard lock(mutex_);
    dropped = std::exchange(wake_, nullptr);
  }
  if (wake_engine_) wake_engine_();
}

void Embedding::finish(Outcome outcome) {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    finished_ = true;
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
}

}  // namespace craton::engines
