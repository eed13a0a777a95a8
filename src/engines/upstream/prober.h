// Prober: asks replicas how they are, all the time, and what they serve, until that is known.
//
// `/health` where a server has it, else `/v1/models`; the well every few seconds, the others each
// second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engines/upstream/cluster.h"

namespace craton::engines::upstream {

class Prober {
 public:
  /// `first_round`: called once, when every replica has answered or not, or one has told what it
  /// serves; on the client's thread.
  Prober(std::shared_ptr<Cluster> cluster, http::Client& client, std::function<void()> first_round);
  ~Prober();  ///< Waits for its own thread, and for no probe.

 private:
  struct Shared;

  void run();
  void look(std::size_t replica, SteadyTime now);

  const std::shared_ptr<Cluster> cluster_;
  http::Client& client_;
  const std::shared_ptr<Shared> shared_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;  // last: uses all of the above
};

}  // namespace craton::engines::upstream
