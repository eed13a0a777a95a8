// The events of a streamed answer, read back from the bytes that went out.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "service/interaction.h"

namespace craton::service {

struct StreamEvent {
  std::chrono::nanoseconds after{};  ///< From the request's start to when its last byte went out.
  std::string type;  ///< "chunk", "contentBlockDelta", "throttlingException"; empty: of text.
  std::string text;  ///< JSON; of a `chunk`, what its base64 stands for.
  bool exception = false;
};

/// Those of an AWS event stream; of any other stream (server-sent events), one of each piece as it
/// is. What cannot be read, as where a fault has broken the stream, ends the list.
std::vector<StreamEvent> stream_events(const Interaction& interaction);

}  // namespace craton::service
