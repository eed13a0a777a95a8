// Streams of families whose answers are nothing but text: one piece a token or so, then one that
// says why and how long.
//
// No I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "families/family.h"

namespace craton::families {

/// One piece of a streamed text.
struct TextPiece {
  std::string_view text;    ///< Behind the request's lead, where it is the answer's first text.
  bool first;               ///< Nothing was written before it.
  const MessageStop* stop;  ///< Why the answer ended; nullptr for all pieces but the last.
  int input_tokens;
  int output_tokens;  ///< Of the whole answer up to here.
};

struct TextStreamForm {
  /// Appends the family's JSON form of a piece.
  void (*append)(const TextPiece& piece, std::string& out);
  /// Tokens that go into one piece. With several, the last piece has text too.
  int tokens_per_piece = 1;
};

/// The writer of a streamed reply in a family's form.
std::unique_ptr<StreamWriter> text_stream(const StreamContext& context, const TextStreamForm& form);

}  // namespace craton::families
