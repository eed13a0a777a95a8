// WorkerPool: a few threads for work that is rare and too long for an I/O thread, on which other
// connections wait: reading documents, decoding and encoding pictures.
//
// Threads: any function may be called from any thread. The threads start with the first job, so a
// server that never has one has none.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace craton::service {

class WorkerPool {
 public:
  /// Jobs that wait at most; each holds what one request brings, 25 MB at most, or the pictures
  /// that answer it.
  static constexpr std::size_t waiting_max = 32;

  explicit WorkerPool(std::size_t threads) : threads_max_(threads) {}
  ~WorkerPool();  ///< Drops the jobs that wait, and waits for those that run.
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs `job`, which throws nothing, on one of the threads. False, taking nothing, when
  /// `waiting_max` jobs wait.
  bool post(std::function<void()> job);

 private:
  void run();

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace craton::service
