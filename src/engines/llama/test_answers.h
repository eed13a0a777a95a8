// Waiting for what an engine answers. For tests only.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "conversation/event.h"
#include "engines/generation.h"

namespace craton::engines::llama {

/// A flag that another thread raises.
class Signal {
 public:
  std::function<void()> raiser() {
    return [state = state_] {
      std::lock_guard lock(state->mutex);
      state->raised = true;
      state->changed.notify_all();
    };
  }
  bool wait(std::chrono::milliseconds limit = std::chrono::minutes(2)) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [this] { return state_->raised; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool raised = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline std::optional<Event> next_event(Generation& generation) {
  if (auto event = generation.try_next()) return event;
  Signal signal;
  generation.notify(signal.raiser());
  if (!signal.wait()) throw std::runtime_error("no event within two minutes");
  return generation.try_next();
}

inline tl::expected<Answer, Failure> answer_of(Generation& generation) {
  AnswerBuilder builder;
  while (!builder.complete()) {
    if (auto event = next_event(generation)) builder.add(std::move(*event));
  }
  return builder.take();
}

}  // namespace craton::engines::llama
