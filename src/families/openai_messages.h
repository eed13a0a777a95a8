// Messages, tools and the answer's format in OpenAI's shape, which many providers share.
//
// Schemas, and what bodies that they allow mean. No I/O.
// Source: platform.openai.com "Create chat completion".
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "families/family.h"
#include "families/schema.h"

namespace craton::families {

/// Tags between which a provider puts its model's thoughts in an answer's text. Callers send such
/// text back.
struct ThoughtTags {
  std::string_view open;   ///< "<reasoning>"; empty: thoughts are a member of their own.
  std::string_view close;  ///< "</reasoning>"
};

extern const Schema openai_model_schema;        ///< `model`: every piece of a stream repeats it.
extern const Schema openai_messages_schema;     ///< `messages`
extern const Schema openai_tools_schema;        ///< `tools`
extern const Schema openai_tool_choice_schema;  ///< `tool_choice`
extern const Schema openai_response_format_schema;  ///< `response_format`
extern const Schema openai_effort_schema;           ///< `reasoning_effort`
extern const Schema openai_tool_name_schema;

/// The member `messages` as system and turns. An only system message asks, so it becomes the
/// user's. Adds valid members that have no effect to `ignored_fields`.
/// Fails with `validation` when no turn has content, when a result has no call, or when a call at
/// the end has no result.
Result<void> read_openai_messages(const json::object& body, const ThoughtTags& tags,
                                  NativeRequest& request);

/// The members `tools` and `tool_choice`, where they are.
/// Fails with `validation` when a tool has to be called that is not offered.
Result<void> read_openai_tools(const json::object& body, Conversation& conversation);

/// The member `tool_choice` alone, where it is: a word, or an object that names the function in it
/// or in its member `function`.
Result<void> read_openai_choice(const json::object& body, Tools& tools);

/// The member `name`, how hard to think, where it is.
void read_openai_effort(const json::object& members, std::string_view name, Reasoning& reasoning);

/// The member `response_format`, where it is.
void read_openai_response_format(const json::object& body, Conversation& conversation);

/// Adds members that no property names to `ignored_fields`, the first few of them.
void note_unknown_members(const json::object& body, std::span<const Property> properties,
                          NativeRequest& request);

/// The member `stop`, a text or several; empty ones stop nothing and are left out.
std::vector<std::string> openai_stops(const json::object& body);

/// OpenAI's refusal of a prompt that does not fit.
Error openai_too_long(const InputTooLong& measured);

/// Reads a schema of what a tool takes or an answer holds, absent or not.
std::string openai_parameters(const json::object& function, std::string_view name);

}  // namespace craton::families
