// Answers in the shape of OpenAI's chat completions, whole and in pieces.
//
//   {"id":"chatcmpl-…","object":"chat.completion","created":…,"model":…,"choices":[{"index":0,
//    "message":{"role":"assistant","content":…,"tool_calls":[…]},"finish_reason":"stop"}],
//    "usage":{"prompt_tokens":…,"completion_tokens":…,"total_tokens":…}}
//
// A streamed one has `delta` in place of `message`: the first of a choice names the role, the last
// is empty and names the reason. No I/O.
// Source: platform.openai.com "The chat completion object", "The chat completion chunk object".
#pragma once

#include <memory>
#include <string>

#include "families/family.h"
#include "families/openai_messages.h"

namespace craton::families {

/// Where those who speak this shape differ.
struct ChatReplyForm {
  ThoughtTags thoughts;            ///< Without tags, thoughts are `reasoning_content`.
  bool has_object = true;          ///< `object`, `created` and `model`
  bool has_stop_reason = false;    ///< Choices repeat their reason as `stop_reason` (Mistral).
  bool has_service_tier = false;   ///< `"service_tier":"default"`
  bool text_beside_calls = false;  ///< Content without text is "" beside calls, not null (Mistral).
  bool has_prompt_details = false;  ///< `prompt_tokens_details` even of a prompt not read before.
  bool usage_apart = false;  ///< A stream's usage is a piece by itself, and only when asked for.
  std::string (*call_id)() = nullptr;  ///< Of a call of a tool.
};

std::string chat_reply(const ReplyContext& context, const ChatReplyForm& form);

std::unique_ptr<StreamWriter> chat_stream(const StreamContext& context, const ChatReplyForm& form);

}  // namespace craton::families
