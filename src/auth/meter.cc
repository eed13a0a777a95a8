#include "auth/meter.h"

#include <algorithm>

namespace craton::auth {
namespace {

Error throttled(std::string_view what) {
  return {ErrorCode::throttling,
          "Too many " + std::string(what) + ", please wait before trying again."};
}

}  // namespace

Meter::Lease::~Lease() { meter_->give_back(tokens_ - used_, streamed_); }

void Meter::Bucket::fill(int per_minute, SteadyTime now) {
  if (size != per_minute) {  // the first time, or another quota
    left = per_minute;
    size = per_minute;
    since = now;
  }
  const double minutes = std::chrono::duration<double, std::ratio<60>>(now - since).count();
  left = std::min<double>(size, left + minutes * size);
  since = now;
}

Result<std::unique_ptr<Meter::Lease>> Meter::admit(const Quota& quota, const Request& request) {
  const std::lock_guard lock(mutex_);
  if (quota.requests_per_minute) {
    requests_.fill(*quota.requests_per_minute, request.now);
    if (requests_.left < 1) return throttled("requests");
  }
  if (quota.tokens_per_minute) {
    tokens_.fill(*quota.tokens_per_minute, request.now);
    // One that could never be admitted is when all of the quota is there.
    const double wanted = std::min(request.tokens, *quota.tokens_per_minute);
    if (tokens_.left < wanted) return throttled("tokens");
  }
  if (quota.streams && request.streamed && streams_ >= *quota.streams) {
    return throttled("concurrent streams");
  }
  if (quota.requests_per_minute) requests_.left -= 1;
  tokens_.left -= request.tokens;
  streams_ += request.streamed ? 1 : 0;
  return std::make_unique<Lease>(shared_from_this(), request.tokens, request.streamed);
}

void Meter::give_back(int tokens, bool streamed) {
  const std::lock_guard lock(mutex_);
  tokens_.left += tokens;
  streams_ -= streamed ? 1 : 0;
}

}  // namespace craton::auth
