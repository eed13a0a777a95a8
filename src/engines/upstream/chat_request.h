// A Conversation as the body of `/v1/chat/completions`, or of `/v1/completions` where it is a raw
// prompt: always streamed, with the usage at the end. What engine-upstream's counterparts in
// families/ read, the other way.
//
// Source: platform.openai.com "Create chat completion". No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/conversation.h"
#include "engines/upstream/server_kind.h"

namespace craton::engines::upstream {

struct ChatForm {
  std::string_view model;                        ///< The name that the server knows.
  const ServerKind& kind = unknown_server;       ///< What it takes.
  std::optional<int> tokens_max = std::nullopt;  ///< In place of the conversation's own.
};

/// "/v1/chat/completions" or "/v1/completions".
std::string_view chat_path(const Conversation& conversation);

/// Fails with `validation` when the conversation asks for what no such server can do: likelihoods
/// of the prompt, images in a raw prompt, a schema that is no JSON.
Result<std::string> chat_body(const Conversation& conversation, const ChatForm& form);

/// The members `messages` and `tools` alone, with `model`: what `/tokenize` and `/apply-template`
/// take. Fails as chat_body().
Result<std::string> prompt_body(const Conversation& conversation, const ChatForm& form);

}  // namespace craton::engines::upstream
