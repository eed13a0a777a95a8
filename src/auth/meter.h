// Meter: how much of its quota an identity has used.
//
// Quotas are buckets that fill up evenly within a minute. Bedrock takes the tokens of a request and
// the most that its answer may have when the request comes, and gives back what was not used when
// the answer is over.
//
// Threads: any function may be called from any thread.
#pragma once

#include <memory>
#include <mutex>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/result.h"

namespace craton::auth {

class Meter : public std::enable_shared_from_this<Meter> {
 public:
  /// What a request has taken; gives back what it did not use when it goes.
  class Lease {
   public:
    Lease(std::shared_ptr<Meter> meter, int tokens, bool streamed)
        : meter_(std::move(meter)), tokens_(tokens), streamed_(streamed) {}
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// How many tokens its input and its answer really had.
    void used(int tokens) { used_ = tokens; }

   private:
    const std::shared_ptr<Meter> meter_;
    const int tokens_;
    const bool streamed_;
    int used_ = 0;
  };

  struct Request {
    int tokens = 0;  ///< Of its input, about, and the most that its answer may have.
    bool streamed = false;
    SteadyTime now;
  };

  /// Fails with `throttling`, in Bedrock's words, when there is not so much left.
  Result<std::unique_ptr<Lease>> admit(const Quota& quota, const Request& request);

 private:
  /// Full at first. It may be in debt: an answer may use more than was reckoned.
  struct Bucket {
    double left = 0;
    SteadyTime since{};
    int size = 0;

    void fill(int per_minute, SteadyTime now);
  };

  void give_back(int tokens, bool streamed);

  std::mutex mutex_;
  Bucket requests_;
  Bucket tokens_;
  int streams_ = 0;
};

}  // namespace craton::auth
