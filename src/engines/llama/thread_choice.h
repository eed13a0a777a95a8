// ThreadChoice: one thread or all of them, whichever computes a batch of that size sooner here and
// now.
//
// Threads wait for each other after every matrix. Where the cores are free, all are sooner even for
// a few tokens; where another program has one of them, a short text takes forty times as long with
// two threads as with one. So both are tried now and then, and the sooner is taken.
//
// No clock, no threads: call from one.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

namespace craton::engines::llama {

class ThreadChoice {
 public:
  /// Batches of a size between two that are computed by the other number of threads: twice as many
  /// after each that took longer, up to so many.
  static constexpr int tried_first = 8;
  static constexpr int tried_last = 64;

  explicit ThreadChoice(int threads) : threads_(std::max(1, threads)) {}

  /// For the next batch, of so many tokens.
  int threads_for(int tokens) {
    Size& size = of(tokens);
    if (size.all == 0) return threads_;
    if (size.one == 0) return 1;
    const bool other = ++size.batches >= size.tried_each;
    if (other) size.batches = 0;
    return size.all_sooner() != other ? threads_ : 1;
  }

  /// What a batch took.
  void observe(int tokens, int threads, double seconds) {
    Size& size = of(tokens);
    const bool was_all = size.all_sooner();
    double& kept = threads == 1 ? size.one : size.all;
    const double per_token = seconds / std::max(1, tokens);
    // What is seldom tried is known by its newest time alone.
    const bool usual = (threads != 1) == was_all;
    kept = kept == 0 || !usual ? per_token : kept + weight * (per_token - kept);
    if (usual) return;
    size.tried_each =
        size.all_sooner() == was_all ? std::min(tried_last, 2 * size.tried_each) : tried_first;
  }

 private:
  static constexpr double weight = 0.25;  // of the newest

  /// Batches of 2^n tokens and more. Seconds a token; 0: not known.
  struct Size {
    double one = 0;
    double all = 0;
    int batches = 0;  ///< Since the last that was tried.
    int tried_each = tried_first;

    bool all_sooner() const { return all <= one; }
  };

  Size& of(int tokens) {
    const auto log =
        static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(std::max(1, tokens))));
    return sizes_[std::min(log, sizes_.size() - 1)];
  }

  int threads_;
  std::array<Size, 14> sizes_{};
};

}  // namespace craton::engines::llama
