#include "client/retry.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/ids.h"

namespace craton::client {
namespace {

constexpr int tokens_max = 500;
constexpr int retry_cost = 14;
constexpr int throttled_retry_cost = 5;
constexpr int success_gain = 1;
constexpr double transient_base_ms = 50;
constexpr double throttled_base_ms = 1000;
constexpr double delay_max_ms = 20'000;
constexpr double hint_slack_ms = 5'000;  // a hint above what was due counts up to so much more

// Of the adaptive mode. Source: the SDKs' common specification, as botocore has it.
constexpr double rate_min = 0.5;
constexpr double capacity_min = 1;
constexpr double smoothing = 0.8;
constexpr double beta = 0.7;
constexpr double cubic_scale = 0.4;

constexpr std::string_view throttling_types[] = {
    "ThrottlingException",
    "TooManyRequestsException",
    "ThrottledException",
    "RequestThrottledException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "SlowDown",
};
// Of status 429, but for another reason: the model is coming up.
constexpr std::string_view transient_types[] = {"ModelNotReadyException", "RequestTimeout",
                                                "RequestTimeoutException"};
constexpr int transient_statuses[] = {500, 502, 503, 504};

double any_part() { return static_cast<double>(random_number() >> 11) * 0x1p-53; }

}  // namespace

RetryCause cause_of(const CallError& error) {
  if (error.kind == CallError::Kind::connection || error.kind == CallError::Kind::time_out) {
    return RetryCause::transient;
  }
  if (error.kind != CallError::Kind::service) return RetryCause::none;
  const auto is_one_of = [&](const auto& types) {
    return std::ranges::find(types, error.type) != std::end(types);
  };
  if (is_one_of(transient_types)) return RetryCause::transient;
  if (is_one_of(throttling_types) || error.status == 429) return RetryCause::throttling;
  return std::ranges::find(transient_statuses, error.status) != std::end(transient_statuses)
             ? RetryCause::transient
             : RetryCause::none;
}

Retries::Retries(Options options, Random random)
    : options_(options), random_(random ? std::move(random) : any_part), tokens_(tokens_max) {}

std::optional<Milliseconds> Retries::delay(RetryCause cause, int attempts,
                                           std::optional<Milliseconds> hint, int& taken) {
  if (cause == RetryCause::none || attempts >= options_.max_attempts) return std::nullopt;
  const bool throttled = cause == RetryCause::throttling;
  const int cost = throttled ? throttled_retry_cost : retry_cost;
  const std::lock_guard lock(mutex_);
  if (tokens_ < cost) return std::nullopt;
  tokens_ -= cost;
  taken = cost;
  const double base = throttled ? throttled_base_ms : transient_base_ms;
  double due = random_() * std::min(base * std::exp2(attempts - 1), delay_max_ms);
  if (hint) {
    const auto hinted = static_cast<double>(hint->count());
    due = std::clamp(hinted, due, due + hint_slack_ms);
  }
  return Milliseconds(std::llround(due));
}

void Retries::succeeded(int taken) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(tokens_max, tokens_ + (taken > 0 ? taken : success_gain));
}

double Retries::elapsed(SteadyTime now) const {
  return std::chrono::duration<double>(now - *began_).count();
}

Milliseconds Retries::before_sending(SteadyTime now) {
  if (options_.mode != RetryMode::adaptive) return {};
  const std::lock_guard lock(mutex_);
  if (!began_) began_ = now;
  if (!limited_) return {};
  refill(elapsed(now));
  available_ -= 1;  // below nothing: of the time that is waited for
  return available_ >= 0 ? Milliseconds{}
                         : Milliseconds(std::llround(std::ceil(-available_ / rate_ * 1000)));
}

void Retries::refill(double now) {
  available_ = std::min(capacity_, available_ + (now - refilled_) * rate_);
  refilled_ = now;
}

void Retries::measure(double now) {
  const double window = std::floor(now * 2) / 2;
  ++count_;
  if (window <= window_) return;
  measured_ = count_ / (window - window_) * smoothing + measured_ * (1 - smoothing);
  count_ = 0;
  window_ = window;
}

void Retries::set_rate(double rate, double now) {
  refill(now);
  rate_ = std::max(rate, rate_min);
  capacity_ = std::max(rate, capacity_min);
  available_ = std::min(available_, capacity_);
}

void Retries::answered(bool throttled, SteadyTime time) {
  if (options_.mode != RetryMode::adaptive) return;
  const std::lock_guard lock(mutex_);
  if (!began_) began_ = time;
  const double now = elapsed(time);
  measure(now);
  double rate = 0;
  if (throttled) {
    const double sent = limited_ ? std::min(measured_, rate_) : measured_;
    rate_max_ = sent;
    throttled_ = now;
    limited_ = true;
    rate = sent * beta;
  } else {
    const double growth = std::cbrt(rate_max_ * (1 - beta) / cubic_scale);
    rate = cubic_scale * std::pow(now - throttled_ - growth, 3) + rate_max_;
  }
  if (limited_) set_rate(std::min(rate, std::max(2 * measured_, rate_min)), now);
}

}  // namespace craton::client
