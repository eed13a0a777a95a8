// Anthropic Messages: the tools that a caller offers, and how they are to be used.
//
// Anthropic's own tools (bash, text editor, computer, memory) come without a schema: Claude knows
// them. Other models are told what Anthropic documents of them.
// Source: docs.anthropic.com "Tool use", "Bash tool", "Text editor tool", "Computer use tool",
// "Memory tool".
//
// No I/O.
#pragma once

#include <string_view>

#include "families/schema.h"

namespace craton::families {

extern const Schema anthropic_tools_schema;        ///< Of `tools`.
extern const Schema anthropic_tool_choice_schema;  ///< Of `tool_choice`.

/// What names a tool, or a call of one.
bool is_anthropic_name(std::string_view text);

/// Appends the tools that `members` offers to those of `tools` and reads how they are to be used.
/// `members` fits the schemas above. Fails with `validation` in Anthropic's words.
Result<void> read_anthropic_tools(const json::object& members, Tools& tools);

}  // namespace craton::families
