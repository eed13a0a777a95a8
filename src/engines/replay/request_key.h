// What makes two requests the same one: the model and the conversation in one form for all forms of
// call, with its keys in order.
//
// Of calls for vectors and pictures, which have one form each, it is the provider's body.
//
// Ids of tool calls are made anew each time, so calls are numbered instead; images and documents
// are their hashes, and in native bodies whatever is base64 and long. What a caller says beside
// (metadata, streamed or not) does not matter.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "conversation/conversation.h"
#include "engines/native_call.h"
#include "engines/rules/json_path.h"

namespace craton::engines::replay {

/// `{"model": …, "system": …, "messages": …, …}`, without what `ignored` means.
json::value canonical_request(std::string_view model_id, const Conversation& conversation,
                              const std::vector<rules::JsonPath>& ignored);

/// The same of a native call: `{"model": …, "body": …}`, and `accept` where that asks for a
/// picture's file. What of the body is null counts as absent.
json::value canonical_request(std::string_view model_id, const NativeCall& native,
                              const std::vector<rules::JsonPath>& ignored);

/// SHA-256 of its text, keys in order, in hexadecimal digits.
std::string key_of(const json::value& canonical);

/// What differs, a line each, at most so many: "messages[0].content[0].text: "hi" there, "hello"
/// asked".
std::vector<std::string> differences(const json::value& there, const json::value& asked,
                                     std::size_t most);

}  // namespace craton::engines::replay
