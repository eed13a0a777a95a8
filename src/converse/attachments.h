// Images and documents of a Converse request: where they stand, and Converse's row of the rules for
// them (families/attachments.h). No I/O.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::converse {

/// Holds every image and document of `conversation`, which was read from `input`, against Bedrock's
/// limits: how many there are, how large, whether they are what they are said to be, what documents
/// are called. Fails with `validation`.
Result<void> check_attachments(const json::object& input, std::string_view model_id,
                               Conversation& conversation);

}  // namespace craton::converse
