// Tokenizer: from a prompt's text to the tokens of one model, and back.
//
// What a caller wrote never becomes a control token, whatever it looks like. A text is tokenised
// piece by piece, cut where the model's own pre-tokenizer would cut (before the blank of " word")
// when it is long: that bounds what llama.cpp's regular expressions may recurse into, and lets a
// text that is far too long be given up early.
//
// Holds the vocabulary by reference; const functions may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/llama/decoder.h"
#include "engines/llama/prompt_text.h"

struct llama_vocab;

namespace craton::engines::llama {

/// Where an image stands among tokens.
struct ImagePlace {
  std::size_t image;   ///< As in TextPiece.
  std::size_t before;  ///< It stands before that token.

  friend bool operator==(const ImagePlace&, const ImagePlace&) = default;
};

struct TokenizedPrompt {
  std::vector<Token> tokens;  ///< All of them when they are at most the `most` asked for.
  int count = 0;              ///< tokens.size(), or past `most` an estimate that is more than it.
  std::vector<ImagePlace> images = {};  ///< In order; they count nothing here.
};

class Tokenizer {
 public:
  explicit Tokenizer(const llama_vocab& vocab);

  /// Tokens of `prompt`, with the model's first token in front where it wants one. Stops soon after
  /// `most` tokens: time and memory follow `most`, not the size of the text.
  /// Fails with `model_error` when the vocabulary has no tokens for the text.
  Result<TokenizedPrompt> tokenize(const PromptText& prompt, int most) const;

  /// Bytes of UTF-8 that `token` stands for; nothing for a control token.
  std::string bytes_of(Token token) const;

  /// The text of a control token; nothing for others.
  std::string control_text(Token token) const;

  bool ends_answer(Token token) const;

  /// True when tokenize() puts the model's first token in front of what callers wrote.
  bool begins_prompts() const;

  /// Text of the tokens that a template calls `bos_token` and `eos_token`; empty without them.
  std::string bos_text() const;
  std::string eos_text() const;

  /// More bytes than this cannot be `tokens` tokens.
  std::size_t bytes_max(int tokens) const {
    return longest_token_ * static_cast<std::size_t>(tokens);
  }

 private:
  struct Marks;
  struct Segment;

  Marks marks_of(std::string_view text, std::vector<char> by_caller) const;
  std::size_t control_at(std::string_view text, std::size_t at, Marks& marks) const;
  std::size_t fragment_end(std::string_view text, const Marks& marks, std::size_t begin) const;
  Result<std::size_t> append_segment(Segment segment, std::size_t most,
                                     std::vector<Token>& tokens) const;
  bool append(std::string_view text, bool control_tokens, std::vector<Token>& tokens) const;
  bool wants_bos(std::string_view text, const std::vector<char>& by_caller) const;

  const llama_vocab& vocab_;
  std::array<std::vector<std::string>, 256> control_texts_;  ///< By their first byte.
  std::size_t longest_token_ = 1;                            ///< Bytes, of all tokens' texts.
  bool adds_blank_ = false;  ///< Puts a blank before whatever it tokenises (SentencePiece).
};

/// Where to cut `text`, which goes on after `most` bytes, so that tokens come out as if it were not
/// cut: at the last single blank between two words in the second half; failing that after the last
/// newline, failing that before the last character. 0 when it is not longer than `most`.
std::size_t cut_position(std::string_view text, std::size_t most);

}  // namespace craton::engines::llama
