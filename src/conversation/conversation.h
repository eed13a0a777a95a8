// Conversation: the canonical request. Every provider's native schema is a mapping onto it, and
// every engine answers it.
//
// Plain values: no I/O, no threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace craton {

struct TextBlock {
  std::string text;  ///< UTF-8

  friend bool operator==(const TextBlock&, const TextBlock&) = default;
};

/// One part of a turn. Text is the only kind so far; images, documents, tool use, tool results and
/// reasoning become further alternatives.
using ContentBlock = std::variant<TextBlock>;

enum class Role { user, assistant };

struct Turn {
  Role role;
  std::vector<ContentBlock> content;

  friend bool operator==(const Turn&, const Turn&) = default;
};

/// How the next token is chosen. What is absent is the model's own default.
struct Sampling {
  std::optional<int> tokens_max;            ///< Most tokens to generate.
  std::optional<double> temperature;        ///< 0 is greedy.
  std::optional<double> top_p;              ///< 0 to 1
  std::optional<int> top_k;                 ///< 0 is off.
  std::optional<std::uint32_t> seed;        ///< Same seed, same request: same text.
  std::vector<std::string> stop_sequences;  ///< Generation ends before the first that appears.

  friend bool operator==(const Sampling&, const Sampling&) = default;
};

struct Conversation {
  std::vector<TextBlock> system;
  /// At least one turn. When the last is the assistant's, the answer continues its text.
  std::vector<Turn> turns;
  Sampling sampling;
  /// True: no chat template. The only turn's text is the prompt as it stands, for models that are
  /// completed rather than talked to.
  bool raw_completion = false;

  friend bool operator==(const Conversation&, const Conversation&) = default;
};

/// The text blocks of `turn`, one after the other.
std::string text_of(const Turn& turn);

/// Appends a turn, or joins its content to the last turn when that has the same role.
void append_turn(Conversation& conversation, Role role, std::string text);

}  // namespace craton
