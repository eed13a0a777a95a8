// Fault: what is to go wrong, for which requests, how often. docs/faults.md describes the kinds.
//
//   {fault: ThrottlingException, retry-after: 1500ms, match: {model: "anthropic.*"}, count: 2}
//   {fault: stall, at: 3, for: 5s, probability: 0.1}
//
// Plain values; no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/result.h"
#include "engines/rules/matcher.h"
#include "engines/rules/value.h"

namespace craton::engines::faults {

enum class Kind {
  exception,             ///< An error of the service models: in place of the answer, or within it.
  slow_start,            ///< Nothing is done for a while.
  empty_answer,          ///< An answer without content.
  truncated_tool_input,  ///< The JSON of calls of tools breaks off in the middle.
  stall,                 ///< The stream says nothing for a while.
  drop,                  ///< The connection breaks before the answer's end.
  cut,                   ///< The stream ends in order, but too early.
  jitter,                ///< Each event is late, by a random time.
  sliced,                ///< Events are written a few bytes at a time.
  bad_crc,               ///< One message's checksum is wrong.
  malformed,             ///< The JSON of a whole answer breaks off in the middle.
  no_metadata,           ///< The stream does not tell tokens and latency.
};

struct Fault {
  Kind kind = Kind::exception;
  std::string name;  ///< "ThrottlingException", "stall": as headers and the log call it.

  ErrorCode code = ErrorCode::internal_server;  ///< Of an exception, with
  std::string message;                          ///< what it says.
  std::optional<Milliseconds> retry_after;      ///< Of an exception: `x-amz-retry-after`.

  int at = 0;            ///< Of the stream's events, from 1, the one it strikes; 0: before them.
  Milliseconds wait{0};  ///< How long, or at most.
  int bytes = 0;         ///< In one write.

  rules::Matcher match;
  double probability = 1;
  std::uint64_t seed = 1;
  int count = 0;  ///< How often it strikes; 0: for ever.
  int after = 0;  ///< How many that match it lets pass first.
};

/// Fails with `validation`, naming file and line, for an unknown kind or key, a key that the kind
/// has not, and an exception within a stream that streams do not know.
Result<Fault> read_fault(const rules::Source& source, const rules::Value& value);

/// The same of text: "stall;at=3;for=5s;match.model=anthropic.*". `name` is what errors call it.
Result<Fault> read_fault_words(std::string_view text, std::string_view name);

/// True where `fault` can do anything to an answer to such a request.
bool applies(const Fault& fault, const Request& request);

}  // namespace craton::engines::faults
