// When a request's body that has come so far is too late.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "base/clock.h"

namespace craton::http {

/// A body that comes in ever so small pieces is still to end: beside the time-out for each piece,
/// the whole must keep this pace.
inline constexpr std::size_t body_bytes_per_second_min = 500;

struct BodySoFar {
  SteadyTime begun;
  SteadyTime last_piece;
  std::size_t bytes;
};

inline SteadyTime body_deadline(const BodySoFar& body, std::chrono::milliseconds timeout) {
  const std::chrono::seconds earned(body.bytes / body_bytes_per_second_min);
  return std::min(body.last_piece, body.begun + earned) + timeout;
}

}  // namespace craton::http
