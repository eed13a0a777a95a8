// Meter: how much of a quota has been used.
//
// Quotas of a minute are buckets that fill up evenly within it; those of a day are full again at
// midnight, UTC. Bedrock takes the tokens of a request's input and the most that its answer may
// have when the request comes, and gives back what was not used when the answer is over.
//
// Threads: any function may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "auth/quota.h"
#include "base/clock.h"

namespace craton::auth {

/// Why a request is not admitted.
struct Throttled {
  Limit limit;         ///< The first that is in its way.
  std::int64_t asked;  ///< Of it.
  std::int64_t left;   ///< Of it, when the request came; below 0 after answers that took more.
  /// Until all limits that are in its way have as much; nullopt where that is not known: other
  /// streams must end, or it asks for more than the whole quota.
  std::optional<Milliseconds> wait;
};

class Meter : public std::enable_shared_from_this<Meter> {
 public:
  /// What a request takes.
  struct Request {
    std::int64_t tokens = 0;  ///< Of its input, about, and the most that its answer may have.
    bool streamed = false;
    SteadyTime now;
    WallTime date{};  ///< The same moment: whose day it is.
  };

  /// What a request has taken; gives back what it did not use when it goes.
  class Lease {
   public:
    Lease(std::shared_ptr<Meter> meter, const Request& request)
        : meter_(std::move(meter)), tokens_(request.tokens), streamed_(request.streamed) {}
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// How many tokens its input and its answer really had.
    void used(std::int64_t tokens) { used_ = tokens; }

    /// The request is not to be admitted after all: nothing was taken.
    void cancel() { cancelled_ = true; }

   private:
    const std::shared_ptr<Meter> meter_;
    const std::int64_t tokens_;
    const bool streamed_;
    std::int64_t used_ = 0;
    bool cancelled_ = false;
  };

  /// Takes what `request` needs of all limits, or of none.
  tl::expected<std::unique_ptr<Lease>, Throttled> admit(const Quota& quota, const Request& request);

  /// What is left of a limit that `quota` has.
  std::int64_t left(const Quota& quota, Limit limit, SteadyTime now, WallTime date);

 private:
  /// Of one limit. Full at first. It may be in debt: an answer may use more than was reckoned.
  struct Bucket {
    double left = 0;
    double size = 0;
    SteadyTime filled{};
    std::chrono::sys_days day{};  ///< Of `filled`.

    void fill(Refill refill, double to, SteadyTime now, WallTime date);
    void give_back(double amount);
  };

  void give_back(Counted counted, double amount);

  std::mutex mutex_;
  std::array<Bucket, limit_shapes.size()> buckets_;  ///< By Limit.
};

}  // namespace craton::auth
