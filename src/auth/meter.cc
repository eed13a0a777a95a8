#include "auth/meter.h"

#include <algorithm>
#include <cmath>

namespace craton::auth {
namespace {

using Minutes = std::chrono::duration<double, std::ratio<60>>;

std::int64_t amount_of(const Meter::Request& request, Counted counted) {
  switch (counted) {
    case Counted::requests: return 1;
    case Counted::tokens: return request.tokens;
    case Counted::streams: return request.streamed ? 1 : 0;
  }
  return 0;
}

/// Until a bucket that has `left` of `size` has `asked`.
std::optional<Milliseconds> wait_for(Refill refill, double asked, double left, double size,
                                     WallTime date) {
  if (asked > size) return std::nullopt;
  switch (refill) {
    case Refill::evenly: return std::chrono::ceil<Milliseconds>(Minutes((asked - left) / size));
    case Refill::at_midnight: {
      const WallTime midnight = std::chrono::floor<std::chrono::days>(date) + std::chrono::days(1);
      return std::chrono::ceil<Milliseconds>(midnight - date);
    }
    case Refill::when_it_ends: break;
  }
  return std::nullopt;
}

/// What sums of fractions are off by, at most; a request that waited as told is not to fail for it.
constexpr double rounding = 1e-6;

/// What is whole of it: requests that may come, tokens that may be taken.
std::int64_t whole(double number) {
  return static_cast<std::int64_t>(std::floor(number + rounding));
}

}  // namespace

Meter::Lease::~Lease() {
  if (cancelled_) meter_->give_back(Counted::requests, 1);
  meter_->give_back(Counted::tokens, static_cast<double>(tokens_ - (cancelled_ ? 0 : used_)));
  if (streamed_) meter_->give_back(Counted::streams, 1);
}

void Meter::Bucket::fill(Refill refill, double to, SteadyTime now, WallTime date) {
  const auto today = std::chrono::floor<std::chrono::days>(date);
  if (size == 0) {  // the first time
    filled = now;
    day = today;
  }
  left += to - size;  // all of it the first time, the difference when the quota is another
  size = to;
  if (refill == Refill::evenly) {
    left += std::max(0.0, Minutes(now - filled).count()) * size;
  } else if (refill == Refill::at_midnight && today > day) {
    left = size;
  }
  left = std::min(left, size);
  filled = std::max(filled, now);
  day = std::max(day, today);
}

void Meter::Bucket::give_back(double amount) { left = std::min(left + amount, size); }

tl::expected<std::unique_ptr<Meter::Lease>, Throttled> Meter::admit(const Quota& quota,
                                                                    const Request& request) {
  const std::lock_guard lock(mutex_);
  std::optional<Throttled> throttled;
  for (const LimitShape& shape : limit_shapes) {
    const std::optional<std::int64_t>& most = quota.*shape.field;
    if (!most) continue;
    Bucket& bucket = buckets_[static_cast<std::size_t>(shape.limit)];
    bucket.fill(shape.refill, static_cast<double>(*most), request.now, request.date);
    const std::int64_t asked = amount_of(request, shape.counted);
    if (asked == 0 || asked <= whole(bucket.left)) continue;
    const auto wait =
        wait_for(shape.refill, static_cast<double>(asked), bucket.left, bucket.size, request.date);
    if (!throttled) {
      throttled = Throttled{shape.limit, asked, whole(bucket.left), wait};
    } else {
      throttled->wait = throttled->wait && wait ? std::max(throttled->wait, wait) : std::nullopt;
    }
  }
  if (throttled) return tl::unexpected(*throttled);
  for (const LimitShape& shape : limit_shapes) {
    // Streams that run are known also when a quota comes later.
    if (!(quota.*shape.field) && shape.counted != Counted::streams) continue;
    buckets_[static_cast<std::size_t>(shape.limit)].left -=
        static_cast<double>(amount_of(request, shape.counted));
  }
  return std::make_unique<Lease>(shared_from_this(), request);
}

std::int64_t Meter::left(const Quota& quota, Limit limit, SteadyTime now, WallTime date) {
  const std::lock_guard lock(mutex_);
  const LimitShape& shape = shape_of(limit);
  Bucket& bucket = buckets_[static_cast<std::size_t>(limit)];
  bucket.fill(shape.refill, static_cast<double>((quota.*shape.field).value_or(0)), now, date);
  return whole(bucket.left);
}

void Meter::give_back(Counted counted, double amount) {
  const std::lock_guard lock(mutex_);
  for (const LimitShape& shape : limit_shapes) {
    if (shape.counted != counted) continue;
    buckets_[static_cast<std::size_t>(shape.limit)].give_back(amount);
  }
}

}  // namespace craton::auth
