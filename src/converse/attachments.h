// Images and documents of a conversation: what Bedrock asks of them.
//
// The one place where Converse meets the floors that know files. No I/O.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::converse {

/// Holds every image and document of `conversation`, which was read from `input`, against Bedrock's
/// limits: how many there are, how large, whether they are what they are said to be, what documents
/// are called. Fails with `validation`.
Result<void> check_attachments(const json::object& input, const Conversation& conversation);

}  // namespace craton::converse
