// Pacer: calls back at given times, on a thread of its own that starts with the first call.
//
// Threads: any function may be called from any thread; not destroyed on its own.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace craton::engines::script {

/// What waits for its time.
class Paced {
 public:
  virtual ~Paced() = default;
  virtual void due() = 0;
  /// Its time will not come: the pacer goes.
  virtual void stop() = 0;
};

class Pacer {
 public:
  Pacer() = default;
  ~Pacer();  ///< Stops all that wait.
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  /// Calls `paced->due()` once at `time`.
  void call_at(SteadyTime time, std::shared_ptr<Paced> paced);

 private:
  struct Waiting {
    SteadyTime time;
    std::shared_ptr<Paced> paced;
    friend bool operator<(const Waiting& a, const Waiting& b) { return a.time > b.time; }
  };
  void run();

  std::mutex mutex_;
  std::condition_variable news_;
  std::priority_queue<Waiting> waiting_;  ///< The soonest on top.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace craton::engines::script
