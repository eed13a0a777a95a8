#include "metrics/instruments.h"

#include <cassert>
#include <cmath>
#include <numeric>

namespace craton::metrics {

std::uint64_t HistogramCounts::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

Histogram::Histogram(const Buckets& buckets)
    : bounds_(buckets.bounds), unit_(buckets.unit), size_(buckets.bounds.size()) {
  assert(size_ <= bounds_max && "a histogram has room for its bounds");
  for (std::size_t i = 0; i < size_; ++i) limits_[i] = std::llround(bounds_[i] / unit_);
}

HistogramCounts Histogram::read() const {
  HistogramCounts read{bounds_, std::vector<std::uint64_t>(size_ + 1), 0};
  for (std::size_t i = 0; i <= size_; ++i) {
    read.counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  read.sum = static_cast<double>(sum_.load(std::memory_order_relaxed)) * unit_;
  return read;
}

}  // namespace craton::metrics
