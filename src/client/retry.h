// Retry: whether, and when, a request that failed is sent again, as the SDKs' "standard" and
// "adaptive" modes do.
//
//   a call:    3 attempts; before the n-th again, a random part of base × 2ⁿ⁻¹, 20 s at most;
//              base 50 ms, and 1 s where the service throttles
//   a client:  500 tokens; each retry takes some, each success gives them back: a service that is
//              down is not asked three times as often
//   adaptive:  also no faster than a rate that falls when throttled and grows back by a cubic
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
//
// Threads: any function may be called from any thread.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "craton/call.h"
#include "craton/client.h"

namespace craton::client {

enum class RetryCause {
  none,        ///< It would be refused again.
  transient,   ///< 500, 502, 503, 504, a connection that broke.
  throttling,  ///< The service has enough of us.
};

/// Of an answer that refused, or of none.
RetryCause cause_of(const CallError& error);

/// 0 to 1
using Random = std::function<double()>;

class Retries {
 public:
  struct Options {
    RetryMode mode = RetryMode::standard;
    int max_attempts = 3;
  };

  explicit Retries(Options options, Random random = nullptr);

  /// How long to wait before the next attempt, after `attempts` were made; nullopt: no more.
  /// `taken`: tokens that the call holds for its latest retry.
  std::optional<Milliseconds> delay(RetryCause cause, int attempts,
                                    std::optional<Milliseconds> hint, int& taken);

  /// The call has ended well.
  void succeeded(int taken);

  /// Adaptive: how long to wait before an attempt may be sent.
  Milliseconds before_sending(SteadyTime now);
  /// Adaptive: what became of it.
  void answered(bool throttled, SteadyTime now);

 private:
  double elapsed(SteadyTime now) const;
  void refill(double now);
  void measure(double now);
  void set_rate(double rate, double now);

  const Options options_;
  const Random random_;
  std::mutex mutex_;
  int tokens_;

  // Adaptive; times are seconds since the first.
  std::optional<SteadyTime> began_;
  bool limited_ = false;  ///< It was throttled once.
  double rate_ = 0;       ///< Requests a second that may be sent,
  double capacity_ = 0;   ///< of which so many at once;
  double available_ = 0;  ///< those that are left;
  double refilled_ = 0;   ///< when they were counted last.
  double measured_ = 0;   ///< Requests a second that were sent lately.
  double window_ = 0;     ///< Half a second in which requests are being counted,
  int count_ = 0;         ///< and how many there were.
  double rate_max_ = 0;   ///< When it was throttled last,
  double throttled_ = 0;  ///< which was then.
};

}  // namespace craton::client
