// Crew: a few threads that share the parts of one job with the thread that has it to do.
//
// For jobs of less than a millisecond, between two steps of the engine: who comes too late for one
// is not waited for. One thread calls it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace craton::engines::llama {

class Crew {
 public:
  /// Of `threads`, the caller among them.
  explicit Crew(int threads);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Calls `work` with each number below `parts`, and comes back when all are done. `work` is
  /// called from several threads at once. What it throws comes out of here, once all have come to
  /// an end.
  void share(std::size_t parts, const std::function<void(std::size_t)>& work);

 private:
  void run();
  void take_parts(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable done_;
  // Of the job; what was thrown first.
  const std::function<void(std::size_t)>* work_ = nullptr;
  std::size_t parts_ = 0;
  std::size_t next_ = 0;
  std::size_t unfinished_ = 0;
  std::exception_ptr thrown_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace craton::engines::llama
