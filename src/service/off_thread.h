// Work that is too long for an I/O thread, done by a worker while the request's coroutine waits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.h"
#include "http/awaitable.h"
#include "service/worker_pool.h"

namespace craton::service {

/// Where the worker that computes and the coroutine that waits meet.
template <class T>
class OffThread {
 public:
  explicit OffThread(std::function<Result<T>()> work) : work_(std::move(work)) {}

  /// The worker's side.
  void run() {
    Result<T> made = work_();
    work_ = nullptr;  // what it holds goes with this thread's time
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      result_ = std::move(made);
      wake = std::move(wake_);
    }
    if (wake) wake();
  }

  void notify(std::function<void()> wake) {
    {
      const std::lock_guard lock(mutex_);
      if (!result_) {
        wake_ = std::move(wake);
        return;
      }
    }
    wake();
  }

  /// The result, when it is there.
  Result<T> take() {
    const std::lock_guard lock(mutex_);
    return *std::move(result_);
  }

 private:
  std::function<Result<T>()> work_;  // the worker's until result_ is there
  std::mutex mutex_;
  std::optional<Result<T>> result_;
  std::function<void()> wake_;
};

/// What `work` gives. Whoever waits for it may leave, so `work` holds what it needs; it throws
/// nothing. Fails as it does, and with `throttling` when too many jobs wait.
template <class T>
boost::asio::awaitable<Result<T>> off_thread(WorkerPool& workers, std::function<Result<T>()> work) {
  const auto job = std::make_shared<OffThread<T>>(std::move(work));
  if (!workers.post([job] { job->run(); })) {
    co_return Error{ErrorCode::throttling, "Too many requests, please wait before trying again."};
  }
  const http::Subscribe subscribe = [job](std::function<void()> wake) {
    job->notify(std::move(wake));
  };
  co_await http::wait_until(subscribe, std::nullopt);
  co_return job->take();
}

}  // namespace craton::service
