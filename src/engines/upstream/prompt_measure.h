// What can be said of a prompt without its tokenizer: about how many tokens it has, how much work
// it is, and what it begins with.
//
// No I/O.
#pragma once

#include <cstdint>

#include "conversation/conversation.h"
#include "conversation/embedding.h"

namespace craton::engines::upstream {

/// An estimate: a token for four bytes of text, which is about right for English, and a few for
/// each message.
int estimated_tokens(const Conversation& conversation);

/// In tokens that a model would generate in the same time: the answer's, as far as they can be
/// foreseen, and the prompt's, which are computed many at once.
std::uint64_t work_of(const Conversation& conversation);
std::uint64_t work_of(const EmbeddingRequest& request);

/// The same for conversations that have the same system's text, tools and first turn: those of one
/// user, one after the other, or of one task.
std::uint64_t prefix_key(const Conversation& conversation);
std::uint64_t prefix_key(const EmbeddingRequest& request);

}  // namespace craton::engines::upstream
