// PromptLookup: guesses how a text goes on from how it went on before. Where the last tokens have
// stood somewhere earlier, what followed there may follow here: quotations, edits of code, lists.
//
// Of all such places the one is taken before which most is the same: a form that many entries of a
// list share does not lead to another entry than the one that is being copied. A copy that turns
// out to differ in a token or a few is followed on, as edits are such.
//
// One for each text. No threads, no I/O.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engines/llama/decoder.h"

namespace craton::engines::llama {

struct Guess {
  std::vector<Token> tokens;
  int matched = 0;  ///< Tokens before it that are the same at its source; `matched_max` and more.
};

class PromptLookup {
 public:
  /// So many tokens must have stood somewhere before.
  static constexpr int pattern_tokens = 2;
  static constexpr int matched_max = 32;

  /// Up to `most` tokens behind `text`, which begins as at the call before. Where the pattern
  /// repeats itself, so does the guess.
  Guess guess(std::span<const Token> text, int most);

 private:
  void read(std::span<const Token> text);
  int source_of(std::span<const Token> text, int& matched);

  std::unordered_map<std::uint64_t, int> last_;  ///< Patterns, and where their last one ended.
  /// For each end of a pattern the end of the same one before; 0 when it is the first.
  std::vector<int> before_;
  int source_ = 0;  ///< What followed there was guessed to follow on `size_` tokens; 0: nothing.
  int size_ = 0;
  int strayed_ = 0;  ///< Tokens since the text was last as at the source.
};

}  // namespace craton::engines::llama
