// Labelled<T>: one T for each combination of label values that has been asked for.
//
// There are at most `series_max` of them: past that, all new combinations share one, whose values
// are all `_OTHER`. So nobody who can influence a label's value can fill the memory, or whoever
// scrapes it. What is there stays, at its address, as long as the table.
//
// Finding one takes no lock; making one takes memory, once.
//
// Threads: any function may be called from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace craton::metrics {

/// What stands for values beyond a table's bound, and for those that are not known.
/// Source: the OpenTelemetry semantic conventions' fallback for values of a closed set.
inline constexpr std::string_view other_value = "_OTHER";

template <class T>
class Labelled {
 public:
  using Values = std::initializer_list<std::string_view>;

  /// `labels`: how many values each combination has.
  Labelled(std::size_t labels, std::size_t series_max)
      : series_max_(series_max), slots_(std::bit_ceil(series_max * 2)) {
    other_.values.assign(labels, std::string(other_value));
  }
  ~Labelled() {
    for (auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
  }
  Labelled(const Labelled&) = delete;
  Labelled& operator=(const Labelled&) = delete;

  /// The T of these values.
  T& of(Values values) {
    const std::size_t hash = hash_of(values);
    std::unique_ptr<Series> made;
    for (std::size_t probe = hash;; ++probe) {
      std::atomic<Series*>& slot = slots_[probe & (slots_.size() - 1)];
      Series* there = slot.load(std::memory_order_acquire);
      if (!there) {
        if (!made && !take_place()) return other();
        if (!made) made = std::make_unique<Series>(hash, values);
        if (slot.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) {
          return made.release()->metric;
        }
      }
      if (!there->is(hash, values)) continue;
      if (made) size_.fetch_sub(1, std::memory_order_relaxed);  // another thread was first
      return there->metric;
    }
  }

  /// Calls `visit(const std::vector<std::string>& values, const T&)` for each, sorted by values.
  template <class Visit>
  void each(Visit visit) const {
    std::vector<const Series*> all;
    for (const auto& slot : slots_) {
      if (const Series* series = slot.load(std::memory_order_acquire)) all.push_back(series);
    }
    if (other_used_.load(std::memory_order_relaxed)) all.push_back(&other_);
    std::ranges::sort(all, {}, [](const Series* series) { return series->values; });
    for (const Series* series : all) visit(series->values, series->metric);
  }

 private:
  struct Series {
    Series() = default;
    Series(std::size_t hashed, Values given) : hash(hashed), values(given.begin(), given.end()) {}

    bool is(std::size_t hashed, Values asked) const {
      return hash == hashed && std::ranges::equal(values, asked);
    }

    std::size_t hash = 0;
    std::vector<std::string> values;
    T metric;
  };

  static std::size_t hash_of(Values values) {
    std::size_t hash = 0;
    for (const std::string_view value : values) {
      hash = hash * 0x9e3779b97f4a7c15 + std::hash<std::string_view>()(value);
    }
    return hash;
  }

  bool take_place() {
    if (size_.fetch_add(1, std::memory_order_relaxed) < series_max_) return true;
    size_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  T& other() {
    other_used_.store(true, std::memory_order_relaxed);
    return other_.metric;
  }

  const std::size_t series_max_;
  std::atomic<std::size_t> size_ = 0;
  std::vector<std::atomic<Series*>> slots_;  ///< Half of them stay empty, so that a search ends.
  Series other_;
  std::atomic<bool> other_used_ = false;
};

}  // namespace craton::metrics
