#include "engines/llama/prompt_lookup.h"

#include <algorithm>

namespace craton::engines::llama {
namespace {

// Places that are compared, the latest first: a text may hold its commonest pattern a thousand
// times.
constexpr int places_max = 32;

// Tokens by which a copy may differ from its source in one place.
constexpr int strayed_max = 4;

std::uint64_t pattern_ending_at(std::span<const Token> text, int end) {
  std::uint64_t pattern = 0;
  for (int i = end - PromptLookup::pattern_tokens; i < end; ++i) {
    pattern = pattern << 32 | static_cast<std::uint32_t>(text[static_cast<std::size_t>(i)]);
  }
  return pattern;
}

/// How many tokens before `place` are the same as before the end of the text.
int matched_before(std::span<const Token> text, int place) {
  const auto size = static_cast<int>(text.size());
  const int most = std::min(place, PromptLookup::matched_max);
  int matched = 0;
  while (matched < most && text[static_cast<std::size_t>(place - 1 - matched)] ==
                               text[static_cast<std::size_t>(size - 1 - matched)]) {
    ++matched;
  }
  return matched;
}

}  // namespace

/// Notes the patterns of the text but the one at its end.
void PromptLookup::read(std::span<const Token> text) {
  before_.resize(std::max(before_.size(), static_cast<std::size_t>(pattern_tokens)));
  for (int end = static_cast<int>(before_.size()); end < static_cast<int>(text.size()); ++end) {
    int& last = last_[pattern_ending_at(text, end)];
    before_.push_back(last);
    last = end;
  }
}

/// Where the text stood before; 0 when it did not. `matched`: how much of it.
int PromptLookup::source_of(std::span<const Token> text, int& matched) {
  const auto size = static_cast<int>(text.size());
  int best = 0;
  matched = 0;
  if (source_ > 0) {  // the copy goes on
    best = source_ + size - size_;
    matched = matched_before(text, best);
    strayed_ = matched > 0 ? 0 : strayed_ + size - size_;
    if (strayed_ > strayed_max) best = 0;
  }
  const auto found = last_.find(pattern_ending_at(text, size));
  int place = found == last_.end() ? 0 : found->second;
  for (int places = 0; place > 0 && places < places_max && matched < matched_max; ++places) {
    const int same = matched_before(text, place);
    if (same > matched) {
      best = place;
      matched = same;
      strayed_ = 0;
    }
    place = before_[static_cast<std::size_t>(place)];
  }
  return best;
}

Guess PromptLookup::guess(std::span<const Token> text, int most) {
  const auto size = static_cast<int>(text.size());
  Guess guess;
  if (size < pattern_tokens) return guess;
  read(text);
  source_ = source_of(text, guess.matched);
  size_ = size;
  if (source_ == 0) return guess;
  for (int i = source_; static_cast<int>(guess.tokens.size()) < most; ++i) {
    const Token token = i < size ? text[static_cast<std::size_t>(i)]
                                 : guess.tokens[static_cast<std::size_t>(i - size)];
    if (token < 0) break;  // an image
    guess.tokens.push_back(token);
  }
  return guess;
}

}  // namespace craton::engines::llama
