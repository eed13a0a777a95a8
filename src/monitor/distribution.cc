#include "monitor/distribution.h"

#include <algorithm>
#include <cmath>

namespace craton::monitor {

Distribution Distribution::since(const Distribution& before) const {
  Distribution difference;
  for (const auto& [bound, cumulative] : buckets_) {
    const auto there = before.buckets_.find(bound);
    const double then = there == before.buckets_.end() ? 0 : there->second;
    difference.buckets_[bound] = std::max(0.0, cumulative - then);
  }
  return difference;
}

double Distribution::count() const { return buckets_.empty() ? 0 : buckets_.rbegin()->second; }

std::optional<Quantile> Distribution::quantile(double share) const {
  const double all = count();
  if (!(all > 0)) return std::nullopt;
  const double wanted = share * all;
  double lower = 0, below = 0;
  for (const auto& [bound, cumulative] : buckets_) {
    if (cumulative >= wanted && cumulative > below) {
      if (std::isinf(bound)) return Quantile{lower, true};
      return Quantile{lower + (bound - lower) * (wanted - below) / (cumulative - below), false};
    }
    lower = bound;
    below = std::max(below, cumulative);
  }
  return Quantile{lower, true};
}

}  // namespace craton::monitor
