// What Converse's whole answers and streamed ones write alike.
//
// No I/O.
#pragma once

#include <string>
#include <string_view>

#include "conversation/event.h"
#include "converse/request.h"

namespace craton::converse {

/// Streams write the counts of cached tokens under an older name too, as the service does.
enum class CacheCounts { plain, under_both_names };

/// The value of `usage`. Cached tokens are told where the request asked for caching.
std::string usage_text(const Usage& usage, const Request& request, CacheCounts counts);

/// The value of `stopReason`.
std::string_view stop_reason_of(const Answer& answer);

/// `,"performanceConfig":{…},"serviceTier":{…}`: what of them the request asked for.
std::string performance_text(const Request& request);
std::string service_tier_text(const Request& request);

}  // namespace craton::converse
