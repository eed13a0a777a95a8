// A token bucket: so many at once, and so many a second in the long run. The caller brings the
// time.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace craton::http {

class RateLimit {
 public:
  struct Rate {
    double burst;
    double per_second;
  };

  RateLimit(Rate rate, SteadyTime now) : rate_(rate), left_(rate.burst), since_(now) {}

  /// Whether one more is within the rate.
  bool take(SteadyTime now) {
    const std::chrono::duration<double> passed = now - since_;
    since_ = now;
    left_ = std::min(rate_.burst, left_ + passed.count() * rate_.per_second);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  Rate rate_;
  double left_;
  SteadyTime since_;
};

}  // namespace craton::http
