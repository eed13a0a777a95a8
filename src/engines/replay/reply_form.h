// The reply of a recorded native call, as cassettes hold it (cassette.h).
//
// No I/O, no globals.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engines/replay/cassette.h"

namespace craton::engines::replay {

/// JSON text, in one line.
std::string reply_text(const TimedReply& timed);

/// Fails with `validation`; the message says what is wrong. A JSON body comes back as the same
/// JSON, perhaps in other bytes.
Result<TimedReply> timed_reply_of(const json::value& value);

}  // namespace craton::engines::replay
