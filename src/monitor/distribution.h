// Distribution: a histogram of a page of metrics, its buckets summed over series, and what can be
// said of it.
#pragma once

#include <map>
#include <optional>

namespace craton::monitor {

/// A value below which a share of all lie.
struct Quantile {
  double value = 0;
  bool above = false;  ///< It lies above `value`, the last bound; nothing more is known.
};

class Distribution {
 public:
  /// Adds a bucket: `cumulative` values are at most `bound`, which may be infinite.
  void add(double bound, double cumulative) { buckets_[bound] += cumulative; }

  /// What has been added since `before`, a reading of the same histogram.
  Distribution since(const Distribution& before) const;

  double count() const;

  /// `share`: 0 to 1. Within a bucket values are taken to be spread evenly, as Prometheus's
  /// histogram_quantile does. Nullopt when there are none.
  std::optional<Quantile> quantile(double share) const;

 private:
  std::map<double, double> buckets_;  ///< Cumulative counts, by bound.
};

}  // namespace craton::monitor
