// Converse's JSON, from the caller's side: a Conversation to a request, a reply to an Answer, a
// stream's messages to Events. The inverse of what converse/ does for a server.
//
// No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "conversation/conversation.h"
#include "conversation/event.h"
#include "craton/client.h"

namespace craton::client {

/// The members of Converse's and ConverseStream's input, but for `modelId`.
/// Fails with `validation` for what Converse has no member for.
Result<json::object> converse_input(const Conversation& conversation,
                                    const ConverseOptions& options);

/// The answer that Converse's reply holds. Fails with `serialization` when it holds none.
Result<Answer> read_answer(const json::object& reply);

/// Events of ConverseStream, one message after the other.
class EventReader {
 public:
  /// What the message brings: nothing, one event, or several. Fails with `serialization` for a
  /// payload that is no JSON object. Messages of types that are not known bring nothing.
  Result<std::vector<Event>> read(std::string_view type, std::string_view payload);

 private:
  bool in_tool_use_ = false;
};

}  // namespace craton::client
