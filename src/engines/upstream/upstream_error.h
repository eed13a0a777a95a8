// What an upstream server's refusals mean for Bedrock's callers.
//
//   429 ─► ThrottlingException    408, 504 ─► ModelTimeoutException    503 ─► ServiceUnavailable…
//   400, 413, 422 ─► ValidationException, with the server's text; "too long" as other engines say
//   it all else ─► ModelErrorException
//
// No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/event.h"

namespace craton::engines::upstream {

/// A refusal, understood.
struct Refusal {
  Failure failure;
  /// Tokens of the prompt and the most that fit prompt and answer together, where the server told
  /// both: a request that asks for fewer tokens of answer may pass.
  std::optional<InputTooLong> measured;
};

/// `status`: of an answer that is no 200. `body`: as far as it was read.
Refusal refusal_of(int status, std::string_view body);

/// An error that came in a stream that had begun: its object, as JSON text.
Error stream_error_of(std::string_view object);

/// What came is no answer of this API: HTML, broken events.
Error not_understood();

/// The answer broke off.
Error broken_off();

}  // namespace craton::engines::upstream
