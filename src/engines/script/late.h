// Late: a result that is given when its time comes, not before.
//
// Threads: any function may be called from any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "engines/pending.h"
#include "engines/refusals.h"
#include "engines/script/pacer.h"

namespace craton::engines::script {

struct LateTimes {
  SteadyTime due;                      ///< When the result may go.
  std::optional<SteadyTime> deadline;  ///< Past it there is a failure in its place.
};

template <class T>
class Late : public Paced, public std::enable_shared_from_this<Late<T>> {
 public:
  using Outcome = typename Pending<T>::Outcome;

  /// `pacer` outlives whoever waits.
  Late(const LateTimes& times, Pacer& pacer) : times_(times), pacer_(pacer) {}

  /// What the caller waits for. Once, before put(). `give_up` is called when the caller gives up.
  std::shared_ptr<Pending<T>> pending(std::function<void()> give_up = nullptr) {
    auto made = std::make_shared<Pending<T>>(
        [self = this->shared_from_this(), give_up = std::move(give_up)] {
          (void)self->take();  // the pacer may keep the rest of this for an hour
          if (give_up) give_up();
        });
    pending_ = made;
    return made;
  }

  /// The result. Once.
  void put(Outcome outcome) {
    {
      const std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
    }
    if (std::chrono::steady_clock::now() >= times_.due) return due();
    const SteadyTime time = std::min(times_.due, times_.deadline.value_or(times_.due));
    pacer_.call_at(time, this->shared_from_this());
  }

  void due() override {
    std::optional<Outcome> outcome = take();
    const std::shared_ptr<Pending<T>> pending = pending_.lock();
    if (!outcome || !pending) return;
    if (times_.deadline && *times_.deadline < times_.due) outcome = failed(timed_out());
    pending->finish(std::move(*outcome));
  }

  void stop() override {
    (void)take();
    if (const auto pending = pending_.lock()) pending->finish(failed(engine_stops()));
  }

 private:
  static Outcome failed(Error error) {
    return tl::unexpected(Failure{std::move(error), std::nullopt});
  }

  std::optional<Outcome> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(outcome_, std::nullopt);
  }

  const LateTimes times_;
  Pacer& pacer_;
  std::weak_ptr<Pending<T>> pending_;
  std::mutex mutex_;
  std::optional<Outcome> outcome_;
};

/// `made`, when its time comes.
template <class T>
std::shared_ptr<Pending<T>> given_late(typename Pending<T>::Outcome made, const LateTimes& times,
                                       Pacer& pacer) {
  const auto late = std::make_shared<Late<T>>(times, pacer);
  std::shared_ptr<Pending<T>> pending = late->pending();
  late->put(std::move(made));
  return pending;
}

}  // namespace craton::engines::script
