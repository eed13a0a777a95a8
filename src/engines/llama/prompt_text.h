// PromptText: a prompt as text, before it becomes tokens, that remembers who wrote which part.
//
// A chat template writes control tokens (`<|im_end|>`) as text. A caller can type the same text; it
// must stay text, or anybody could end their turn and speak as the system. Images stand between the
// texts, each a piece of its own: no text makes one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace craton::engines::llama {

struct TextPiece {
  std::string text;  ///< Valid UTF-8
  bool from_caller;  ///< Holds no control tokens, whatever it looks like.
  /// Which of the conversation's images stands here (images_of()); `text` is then empty.
  std::optional<std::size_t> image = std::nullopt;

  friend bool operator==(const TextPiece&, const TextPiece&) = default;
};

/// Neighbours may or may not differ in who wrote them; a piece may be empty.
using PromptText = std::vector<TextPiece>;

}  // namespace craton::engines::llama
