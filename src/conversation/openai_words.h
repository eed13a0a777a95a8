// The words of OpenAI's API that are read from callers and written to upstream servers alike.
//
// Source: platform.openai.com "Create chat completion". No I/O.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "conversation/conversation.h"
#include "conversation/event.h"

namespace craton::openai {

/// A word of `tool_choice`. The first row of a choice is the one to write.
struct ChoiceWord {
  std::string_view word;
  ToolChoice choice;
};
inline constexpr std::array choice_words{
    ChoiceWord{"none", ToolChoice::none},
    ChoiceWord{"auto", ToolChoice::automatic},
    ChoiceWord{"required", ToolChoice::any},
    ChoiceWord{"any", ToolChoice::any},
};

/// A word of `reasoning_effort`, and how many tokens of thought it is worth where a number has to
/// be given: what gateways that translate between providers use.
struct Effort {
  std::string_view name;
  bool wanted;
  std::optional<int> budget_tokens;
};
inline constexpr std::array efforts{
    Effort{"none", false, {}},    Effort{"minimal", true, 128}, Effort{"low", true, 1024},
    Effort{"medium", true, 2048}, Effort{"high", true, 4096},   Effort{"xhigh", true, {}},
};

/// An image's media type and its format's name. The first row of a format is the one to write.
struct ImageType {
  std::string_view media_type;
  std::string_view format;
};
inline constexpr std::array image_types{
    ImageType{"image/png", "png"}, ImageType{"image/jpeg", "jpeg"}, ImageType{"image/jpg", "jpeg"},
    ImageType{"image/gif", "gif"}, ImageType{"image/webp", "webp"},
};

/// A word of `finish_reason`. The first row of a word or a reason is the one to read or write.
struct FinishReason {
  std::string_view word;
  StopReason reason;
};
inline constexpr std::array finish_reasons{
    FinishReason{"stop", StopReason::end_turn},
    FinishReason{"stop", StopReason::stop_sequence},
    FinishReason{"length", StopReason::max_tokens},
    FinishReason{"length", StopReason::full_context},
    FinishReason{"tool_calls", StopReason::tool_use},
    FinishReason{"function_call", StopReason::tool_use},
    FinishReason{"content_filter", StopReason::end_turn},
};

}  // namespace craton::openai
