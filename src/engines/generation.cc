#include "engines/generation.h"

#include <utility>

namespace craton::engines {

std::optional<Event> Generation::try_next() {
  std::optional<Event> event;
  bool room_again = false;
  {
    std::lock_guard lock(mutex_);
    if (events_.empty()) return std::nullopt;
    event = std::move(events_.front());
    events_.pop_front();
    room_again = refused_ && events_.size() <= events_max / 2;
    if (room_again) refused_ = false;
  }
  if (room_again && wake_engine_) wake_engine_();
  return event;
}

void Generation::notify(std::function<void()> wake) {
  {
    std::lock_guard lock(mutex_);
    if (events_.empty()) {
      wake_ = std::move(wake);
      return;
    }
  }
  wake();
}

void Generation::cancel() {
  if (cancelled_.exchange(true, std::memory_order_relaxed)) return;
  std::function<void()> dropped;  // destroyed outside the lock: what it captured is not known here
  {
    std::lock_guard lock(mutex_);
    dropped = std::exchange(wake_, nullptr);
  }
  if (wake_engine_) wake_engine_();
}

bool Generation::offer(Event event) {
  const bool last = std::holds_alternative<Usage>(event) || std::holds_alternative<Failure>(event);
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    if (events_.size() >= events_max && !last) {
      refused_ = true;
      return false;
    }
    events_.push_back(std::move(event));
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
  return true;
}

}  // namespace craton::engines
