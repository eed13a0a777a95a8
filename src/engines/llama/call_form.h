// CallForm: how a model writes a tool call down.
//
//   <tool_call>\n{"name": " get_weather ", "arguments": {"city": "Paris"} }\n</tool_call>
//   └───── open ─────────┘             └── between ───┘ └──── input ─────┘
//
// Plain values.
#pragma once

#include <string>

namespace craton::engines::llama {

struct CallForm {
  std::string open = "{\"name\": \"";          ///< Before the tool's name.
  std::string between = "\", \"arguments\":";  ///< Between it and the input.
  bool own = false;  ///< The template's; otherwise what callers' tools are described with.
};

/// How models mark what they think.
inline constexpr std::string_view thought_open = "<think>";
inline constexpr std::string_view thought_close = "</think>";

}  // namespace craton::engines::llama
