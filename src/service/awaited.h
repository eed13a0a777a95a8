// Awaited: a result that an engine is making, as a handler waits for it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "engines/engine.h"
#include "http/awaitable.h"

namespace craton::service {

/// Gives the result up when it goes.
template <class T>
class Awaited {
 public:
  using Pending = engines::Pending<T>;

  Awaited(std::shared_ptr<engines::Engine> engine, std::shared_ptr<Pending> pending)
      : engine_(std::move(engine)), pending_(std::move(pending)) {}
  Awaited(Awaited&&) noexcept = default;
  Awaited& operator=(Awaited&&) = delete;
  ~Awaited() {
    if (pending_) pending_->cancel();
  }

  boost::asio::awaitable<typename Pending::Outcome> outcome() {
    const std::shared_ptr<Pending> pending = pending_;
    const http::Subscribe subscribe = [pending](std::function<void()> wake) {
      pending->notify(std::move(wake));
    };
    while (true) {
      if (std::optional<typename Pending::Outcome> made = pending->take()) {
        pending_ = nullptr;  // nothing is left to give up
        co_return std::move(*made);
      }
      co_await http::wait_until(subscribe, std::nullopt);
    }
  }

 private:
  std::shared_ptr<engines::Engine> engine_;  // stays while it computes
  std::shared_ptr<Pending> pending_;
};

}  // namespace craton::service
