// Anthropic Messages, the way back: whole replies, and streamed ones.
//
//   message_start
//     (content_block_start  content_block_delta*  content_block_stop)*
//   message_delta  message_stop
//
// Bedrock sends no `ping`. Source: docs.anthropic.com "Streaming Messages"; recorded streams.
//
// No I/O.
#pragma once

#include <memory>
#include <string>

#include "families/family.h"

namespace craton::families {

std::string anthropic_reply(const ReplyContext& context);

std::unique_ptr<StreamWriter> anthropic_stream(const StreamContext& context);

}  // namespace craton::families
