// PromptLookup: guesses how a text goes on from how it went on before. Where the last tokens have
// stood somewhere earlier, what followed there may follow here: quotations, edits of code, lists.
//
// One for each text. No threads, no I/O.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engines/llama/decoder.h"

namespace craton::engines::llama {

class PromptLookup {
 public:
  /// So many tokens must have stood somewhere before.
  static constexpr int pattern_tokens = 3;

  /// Up to `most` tokens behind `text`, which begins as at the call before. Where the pattern
  /// repeats itself, so does the guess.
  std::vector<Token> guess(std::span<const Token> text, int most);

 private:
  std::unordered_map<std::uint64_t, int> behind_;  ///< Patterns, and where their last one ended.
  int read_ = 0;                                   ///< Tokens of the text that are looked through.
};

}  // namespace craton::engines::llama
