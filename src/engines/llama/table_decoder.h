// A model as a table, for tests and fuzzing of the scheduler: what may be known about every answer
// is known, and its KV cache can be too small, fail, or be checked. For tests only.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engines/llama/decoder.h"

namespace craton::engines::llama {

inline constexpr int vocabulary = 64;
inline constexpr Token end_token = 0;
inline constexpr Token poison = vocabulary - 1;  ///< In a prompt: every batch with it fails.

/// What the table model says after `tokens`: depends on all of them, so that a lost or doubled one
/// changes the rest of the answer. Never the poison; the end now and then.
inline Token next_token(const std::vector<Token>& tokens) {
  std::uint32_t hash = 2166136261;
  for (const Token token : tokens) hash = (hash ^ static_cast<std::uint32_t>(token)) * 16777619;
  return static_cast<Token>((hash >> 16) % (vocabulary - 1));
}

inline char letter_of(Token token) { return static_cast<char>('!' + token); }

/// A model as a table, with a KV cache that it checks and that can be too small or fail.
class TableDecoder : public Decoder {
 public:
  DecodeStatus decode(std::span<const BatchEntry> batch) override {
    batches.emplace_back(batch.begin(), batch.end());
    if (cells_held() + static_cast<int>(batch.size()) > cells) return DecodeStatus::no_room;
    for (const BatchEntry& entry : batch) {
      auto& held = cache[entry.sequence];
      gap = gap || static_cast<int>(held.size()) != entry.position;
      held.push_back(entry.token);
    }
    if (static_cast<int>(batch.size()) > batch_works) return DecodeStatus::failed;
    for (const BatchEntry& entry : batch) {
      if (entry.token == poison) return DecodeStatus::failed;
    }
    return DecodeStatus::done;
  }

  std::span<const float> logits(std::size_t index) override {
    unasked = unasked || !batches.back()[index].wants_logits;
    row.assign(vocabulary, broken ? std::numeric_limits<float>::quiet_NaN() : 0.0F);
    row[next_token(cache[batches.back()[index].sequence])] += 1;
    return row;
  }

  bool forget(int sequence, int position) override {
    auto& held = cache[sequence];
    if (recurrent && position > 0 && position < static_cast<int>(held.size())) {
      held.clear();
      return false;
    }
    if (position < static_cast<int>(held.size())) held.resize(position);
    return true;
  }

  bool ends_answer(Token token) const override { return token == end_token; }
  std::string bytes_of(Token token) const override { return std::string(1, letter_of(token)); }

  int cells_held() const {
    int held = 0;
    for (const auto& [sequence, tokens] : cache) held += static_cast<int>(tokens.size());
    return held;
  }

  int cells = 1 << 20;
  int batch_works = 1 << 20;  ///< Larger batches fail.
  bool broken = false;        ///< Logits are NaN.
  bool recurrent = false;
  // What the scheduler must never do.
  bool gap = false;      ///< A position that does not follow on what the cache holds.
  bool unasked = false;  ///< Logits of an entry that did not want any.

  std::map<int, std::vector<Token>> cache;
  std::vector<std::vector<BatchEntry>> batches;
  std::vector<float> row;
};

struct Asked {
  std::vector<Token> prompt;
  std::optional<int> tokens_max = 40;
  int context_tokens = 4096;
  std::vector<std::string> stop_sequences = {};
  std::optional<SteadyTime> deadline = std::nullopt;
};

inline std::vector<Token> prompt_of(int length, int seed) {
  std::minstd_rand random(static_cast<unsigned>(seed) + 1);
  std::vector<Token> prompt;
  for (int i = 0; i < length; ++i)
    prompt.push_back(1 + static_cast<Token>(random() % (vocabulary - 2)));
  return prompt;
}

/// The answer as one who has the table all alone reads it off.
inline std::string read_off(const Asked& asked) {
  std::vector<Token> tokens = asked.prompt;
  std::string text;
  for (int i = 0; i < asked.tokens_max.value_or(1 << 20); ++i) {
    tokens.push_back(next_token(tokens));
    if (tokens.back() == end_token) break;
    text += letter_of(tokens.back());
    if (static_cast<int>(tokens.size()) >= asked.context_tokens) break;
  }
  return text;
}

}  // namespace craton::engines::llama
