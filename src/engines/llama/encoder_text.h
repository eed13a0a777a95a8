// From texts to the token sequences that an encoder reads.
//
// A text that is longer than the encoder's sequences is read in parts of nearly equal length, whose
// vectors are averaged by their tokens (encoder_queue.h): a model id that promises to take 8192
// tokens takes them, whatever the encoder was made for.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversation/embedding.h"
#include "conversation/event.h"
#include "engines/llama/encoder_model.h"

namespace craton::engines::llama {

/// A part of an item, as the encoder reads it.
struct EncoderSequence {
  std::vector<Token> tokens;
  std::size_t item;
  int weight;  ///< Tokens of the item's own, at least 1.
};

/// What an embedding is computed of.
struct EncoderInput {
  std::vector<EncoderSequence> sequences;  ///< In the order of the items.
  std::vector<int> tokens;                 ///< Of each item's text, as far as it is read.
};

/// A text's tokens, at most `most` of them, without special ones.
struct TextTokens {
  std::vector<Token> tokens;
  int count;  ///< Of the whole text; past `most` an estimate that is more than it.
};

/// The first or last tokens of `text`. Time and memory follow `most`, not the text, but for blanks.
Result<TextTokens> text_tokens(const Tokenizer& tokenizer, std::string_view text, int most,
                               Truncation truncation);

/// The sequences of a request; of one that ranks, a pair each. Fails when a text is too long and
/// must not be truncated, or has no tokens.
tl::expected<EncoderInput, Failure> encoder_input(const EncoderModel& model,
                                                  const EmbeddingRequest& request);

}  // namespace craton::engines::llama
