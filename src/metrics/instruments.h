// Counter and Histogram: numbers that many threads add to and one reads now and then.
//
// To add takes no lock and no memory: one atomic addition to a counter, two to a histogram. What is
// read while others add is a moment of each number by itself; a histogram's count is the sum of its
// buckets, so those agree.
//
// Threads: any function may be called from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace craton::metrics {

class Counter {
 public:
  void add(std::uint64_t more = 1) { value_.fetch_add(more, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Into what a histogram sorts. A table of the program: `bounds` live as long as it.
struct Buckets {
  std::span<const double> bounds;  ///< Rising, as they are shown: seconds, tokens.
  double unit;  ///< Of what observe() is given: 1e-9 for nanoseconds shown as seconds.
};

/// A histogram as it was read.
struct HistogramCounts {
  std::span<const double> bounds;
  std::vector<std::uint64_t>
      counts;      ///< One a bucket, not cumulative; the last is past all bounds.
  double sum = 0;  ///< Of all that was observed, as shown.

  std::uint64_t count() const;
};

class Histogram {
 public:
  static constexpr std::size_t bounds_max = 24;

  /// At most `bounds_max` bounds.
  explicit Histogram(const Buckets& buckets);

  /// Notes `value`, in the buckets' unit, `times` times. A bound belongs to the bucket below it.
  void observe(std::int64_t value, std::uint64_t times = 1) {
    std::size_t bucket = 0;
    while (bucket < size_ && value > limits_[bucket]) ++bucket;
    counts_[bucket].fetch_add(times, std::memory_order_relaxed);
    sum_.fetch_add(value * static_cast<std::int64_t>(times), std::memory_order_relaxed);
  }

  HistogramCounts read() const;

 private:
  const std::span<const double> bounds_;
  const double unit_;
  const std::size_t size_;
  std::array<std::int64_t, bounds_max> limits_{};
  std::array<std::atomic<std::uint64_t>, bounds_max + 1> counts_{};
  std::atomic<std::int64_t> sum_ = 0;
};

}  // namespace craton::metrics
