// PromptText: a prompt as text, before it becomes tokens, that remembers who wrote which part.
//
// A chat template writes control tokens (`<|im_end|>`) as text. A caller can type the same text; it
// must stay text, or anybody could end their turn and speak as the system.
#pragma once

#include <string>
#include <vector>

namespace craton::engines::llama {

struct TextPiece {
  std::string text;  ///< Valid UTF-8
  bool from_caller;  ///< Holds no control tokens, whatever it looks like.

  friend bool operator==(const TextPiece&, const TextPiece&) = default;
};

/// Neighbours may or may not differ in who wrote them; a piece may be empty.
using PromptText = std::vector<TextPiece>;

}  // namespace craton::engines::llama
