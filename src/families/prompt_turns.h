// Prompt strings, read back into the turns that a template made them from.
//
// Completion-style bodies carry a whole conversation in one string, in the template of the model
// that they were written for. The model that answers has a template of its own, so roles must be
// found again. Rules common to all templates:
//
//   - markers count only where the template puts them;
//   - text before the first marker is the system prompt;
//   - the blanks around a turn belong to the template, and empty turns are dropped: an empty one of
//     the assistant at the end is only the cue to answer. One with text is continued by the answer;
//   - neighbours of one role become one turn;
//   - without markers, or when the user does not speak first, the whole string is one user message.
//
// Nothing is unescaped; nothing but blanks and the template's own tokens is dropped. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conversation/conversation.h"

namespace craton::families {

struct PromptTurns {
  std::vector<TextBlock> system;
  std::vector<Turn> turns;
  bool marked = false;  ///< The template's markers were there.

  /// True when the answer goes on where the assistant's last turn ends.
  bool prefilled() const { return !turns.empty() && turns.back().role == Role::assistant; }

  friend bool operator==(const PromptTurns&, const PromptTurns&) = default;
};

/// Markers that stand at the start of a line.
struct LineMarkers {
  std::string_view user;       ///< "Human:"
  std::string_view assistant;  ///< "Assistant:"
};

/// `{system}\n\nHuman: {user}\n\nAssistant: {answer}\n\nHuman: {user}\n\nAssistant:` with any
/// number of newlines, at least one. When "Human:" begins the string and is its only such marker, a
/// single " Assistant:" within the line counts too: real callers send that, and Bedrock answers it.
PromptTurns read_line_marked(std::string_view prompt, const LineMarkers& markers);

/// Llama 2 and Mistral:
/// `<s>[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{user} [/INST] {answer} </s><s>[INST] {user} [/INST]`.
/// `<s>` and `</s>` may be missing, and `<<SYS>>` may stand before the first `[INST]`.
PromptTurns read_inst_marked(std::string_view prompt);

/// Llama 3 and 4:
/// `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{user}<|eot_id|>`, or Llama 4's
/// `<|header_start|>user<|header_end|>\n\n{user}<|eot|>`, and so on for each role. Roles other than
/// system and assistant speak as the user.
PromptTurns read_header_marked(std::string_view prompt);

/// DeepSeek R1:
/// `<｜begin▁of▁sentence｜>{system}<｜User｜>{user}<｜Assistant｜><think>\n`, or with ASCII bars.
/// Thoughts in the assistant's turns are dropped, as the model's own template does.
PromptTurns read_deepseek_marked(std::string_view prompt);

/// Command R: `<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{user}<|END_OF_TURN_TOKEN|>` and so on, with
/// SYSTEM and CHATBOT.
PromptTurns read_command_r_marked(std::string_view prompt);

/// Qwen and others: `<|im_start|>user\n{user}<|im_end|>\n` and so on. Roles other than system and
/// assistant speak as the user; thoughts are dropped.
PromptTurns read_chatml_marked(std::string_view prompt);

/// gpt-oss: `<|start|>user<|message|>{user}<|end|>` and so on. What the assistant says on the
/// analysis channel is dropped.
PromptTurns read_harmony_marked(std::string_view prompt);

/// `text` without the white space of ASCII at its ends.
std::string_view trimmed(std::string_view text);

/// Appends a turn, which has content; when the last one has the same role, joins it, with an empty
/// line between where texts meet.
void merge_turn(std::vector<Turn>& turns, Turn turn);

}  // namespace craton::families
