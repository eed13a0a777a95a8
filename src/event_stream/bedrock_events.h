// The messages of Bedrock's streams, as its service model binds them to the AWS event stream.
//
//   event      :event-type, :content-type application/json, :message-type event
//   exception  :exception-type, :content-type application/json, :message-type exception
//
// Headers are strings, in that order; the payload is JSON. An exception ends its stream: it is how
// an answer fails after its first byte. A stream has no other end than that of the HTTP body.
//
// Called once a token: each appends to `out`, which is to be used again, and allocates nothing
// else. All fail with `validation`, leaving `out` as it was, past the limits of message.h.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace craton::event_stream {

/// `event_type`: the member of the operation's output stream ("contentBlockDelta").
Result<void> append_event(std::string_view event_type, std::string_view json_payload,
                          std::string& out);

/// `exception_type`: the same, beginning in lower case ("throttlingException"). Clients compare it
/// by case, and know only the names in the operation's output stream.
Result<void> append_exception(std::string_view exception_type, std::string_view json_payload,
                              std::string& out);

/// InvokeModelWithResponseStream's only event, `chunk`: {"bytes":"<base64 of
/// native_json>","p":"…"}. `padding`: see below; empty for none.
Result<void> append_chunk(std::string_view native_json, std::string_view padding, std::string& out);

inline constexpr std::size_t padding_min = 2;   ///< Letters, as seen of Bedrock.
inline constexpr std::size_t padding_max = 61;  ///< Letters, as seen of Bedrock.

/// Filling for the member `p` of an event's JSON, which keeps the sizes of encrypted packets from
/// telling the lengths of tokens: the first 2 to 61 of a-z, A-Z and 0-9, as many as `random`, any
/// number, chooses. Needs no escape in JSON; holds for ever.
std::string_view padding(std::uint64_t random);

}  // namespace craton::event_stream
