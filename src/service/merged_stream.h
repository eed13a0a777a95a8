// ConverseStream's events, put together to the answer that Converse would have given.
#pragma once

#include <boost/json/value.hpp>
#include <vector>

#include "service/stream_events.h"

namespace craton::service {

/// {"output":{"message":{…}},"stopReason":…,"usage":{…},"metrics":{…}}; of a stream that broke off,
/// what had come.
boost::json::value merged_converse(const std::vector<StreamEvent>& events);

}  // namespace craton::service
