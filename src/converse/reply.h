// Converse's answer: from the canonical Answer to the API's JSON.
//
//   {"metrics":{"latencyMs":738},
//    "output":{"message":{"content":[{"text":"…"}],"role":"assistant"}},
//    "stopReason":"end_turn",
//    "usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14}}
//
// Members in alphabetical order, as the service writes them; each block of content has one member
// alone, for clients refuse a union with more. No I/O, no globals.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "conversation/event.h"
#include "converse/request.h"

namespace craton::converse {

/// JSON text in UTF-8, whatever the answer's bytes are. Calls of tools get ids.
/// `additional_fields`: additionalModelResponseFields; left out when empty.
std::string render(const Request& request, const Answer& answer,
                   const json::object& additional_fields, Milliseconds latency);

}  // namespace craton::converse
