#include "engines/llama/prompt_lookup.h"

#include <algorithm>

namespace craton::engines::llama {
namespace {

/// Vocabularies have less than 2^21 tokens; cells of images are told apart from all of them.
std::uint64_t pattern_ending_at(std::span<const Token> text, int end) {
  std::uint64_t pattern = 0;
  for (int i = end - PromptLookup::pattern_tokens; i < end; ++i) {
    pattern = pattern << 21 | (static_cast<std::uint32_t>(text[i]) & 0x1FFFFF);
  }
  return pattern;
}

}  // namespace

std::vector<Token> PromptLookup::guess(std::span<const Token> text, int most) {
  const auto size = static_cast<int>(text.size());
  for (read_ = std::max(read_, pattern_tokens); read_ < size; ++read_) {
    behind_[pattern_ending_at(text, read_)] = read_;
  }
  std::vector<Token> guessed;
  if (size < pattern_tokens) return guessed;
  const auto found = behind_.find(pattern_ending_at(text, size));
  if (found == behind_.end()) return guessed;
  for (int i = found->second; static_cast<int>(guessed.size()) < most; ++i) {
    const Token token = i < size ? text[i] : guessed[i - size];
    if (token < 0) break;  // an image
    guessed.push_back(token);
  }
  return guessed;
}

}  // namespace craton::engines::llama
