// Images and documents of a conversation: what Bedrock asks of them.
//
// The one place where Converse meets the floors that know files.
#pragma once

#include <string>

#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::converse {

/// Holds every image and document of `conversation`, which has the places of the request's blocks,
/// against Bedrock's limits: how many, how large, of what they are said to be. Fails with
/// `validation`.
Result<void> check_attachments(const Conversation& conversation);

/// Puts the texts of its documents in place of the documents, since engines read text alone. Fails
/// with `validation` when one cannot be read.
Result<void> read_documents(Conversation& conversation);

}  // namespace craton::converse
