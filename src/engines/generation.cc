#include "engines/generation.h"

#include <utility>

namespace craton::engines {

std::optional<Event> Generation::try_next() {
  std::lock_guard lock(mutex_);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
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

void Generation::cancel() { cancelled_.store(true, std::memory_order_relaxed); }

bool Generation::offer(Event event) {
  const bool last = std::holds_alternative<Usage>(event) || std::holds_alternative<Failure>(event);
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    if (events_.size() >= events_max && !last) return false;
    events_.push_back(std::move(event));
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
  return true;
}

}  // namespace craton::engines
