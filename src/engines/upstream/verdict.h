// What the end of a transfer means: for the replica, for the caller, and whether another replica
// may be asked.
//
// Another is asked only where the first has certainly not begun: it could not be reached, or it
// said 429 or 503. A connection that broke before the answer's head may have left a generation
// running, which is not started twice.
//
// No I/O.
#pragma once

#include <optional>
#include <string_view>

#include "engines/upstream/balancer.h"
#include "engines/upstream/upstream_error.h"
#include "http/client.h"

namespace craton::engines::upstream {

struct TransferOutcome {
  http::TransferFault fault = http::TransferFault::none;
  int status = 0;  ///< 0: no head came.
  bool past_deadline = false;
  std::string_view body = {};  ///< Of a refusal, as far as it came.
};

struct Verdict {
  Outcome outcome = Outcome::answered;
  bool elsewhere = false;  ///< Another replica may be asked.
  /// Absent: a whole answer with status 200, whatever it holds.
  std::optional<Refusal> refusal = std::nullopt;
};

/// Not of a transfer that was cancelled.
Verdict verdict_of(const TransferOutcome& transfer);

/// No replica takes a request.
Error none_takes_it(Balancer::Why why);

}  // namespace craton::engines::upstream
