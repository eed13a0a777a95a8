// Answers in the shape of OpenAI's responses, whole and as typed events.
//
//   {"id":"resp_…","object":"response","status":"completed","output":[
//     {"id":"rs_…","type":"reasoning","content":[{"type":"reasoning_text","text":…}],…},
//     {"id":"msg_…","type":"message","content":[{"type":"output_text","text":…}],…},
//     {"id":"fc_…","type":"function_call","call_id":"call_…","name":…,"arguments":…}],…}
//
// A streamed one is response.created, response.in_progress; for each item output_item.added, its
// deltas, its end and output_item.done; then response.completed, or response.incomplete when the
// limit of tokens cut it. Each event carries `type` and a `sequence_number` from 0. No I/O.
// Source: platform.openai.com "The response object", "Streaming events".
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "families/family.h"

namespace craton::families {

/// A member of the request that the response repeats, and what it says where there was none.
struct RepeatedMember {
  std::string_view name;
  std::string_view absent;  ///< JSON
};

// In the order of OpenAI's own responses. NativeRequest::body holds those that came.
inline constexpr std::array repeated_members{
    RepeatedMember{"instructions", "null"},
    RepeatedMember{"max_output_tokens", "null"},
    RepeatedMember{"metadata", "{}"},
    RepeatedMember{"parallel_tool_calls", "true"},
    RepeatedMember{"reasoning", "{\"effort\":null,\"summary\":null}"},
    RepeatedMember{"temperature", "1.0"},
    RepeatedMember{"text", R"({"format":{"type":"text"}})"},
    RepeatedMember{"tool_choice", "\"auto\""},
    RepeatedMember{"tools", "[]"},
    RepeatedMember{"top_p", "1.0"},
    RepeatedMember{"truncation", "\"disabled\""},
    RepeatedMember{"user", "null"},
};

std::string responses_reply(const ReplyContext& context);

std::unique_ptr<StreamWriter> responses_stream(const StreamContext& context);

}  // namespace craton::families
