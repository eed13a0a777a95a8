// A model as a table, for tests and fuzzing of the scheduler: what may be known about every answer
// is known, and its KV cache can be too small, fail, or be checked. For tests only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engines/engine.h"
#include "engines/llama/decoder.h"
#include "engines/llama/drafter.h"
#include "engines/llama/prompt.h"

namespace craton::engines::llama {

inline constexpr int vocabulary = 64;
inline constexpr Token end_token = 0;
inline constexpr Token poison = vocabulary - 1;  ///< In a prompt: every batch with it fails.

/// What the table model says after `tokens`: depends on all of them, so that a lost or doubled one
/// changes the rest of the answer. Never the poison; the end now and then. With `period` it mostly
/// repeats what it said so many tokens before.
inline Token next_token(const std::vector<Token>& tokens, std::size_t period = 0) {
  std::uint32_t hash = 2166136261;
  for (const Token token : tokens) hash = (hash ^ static_cast<std::uint32_t>(token)) * 16777619;
  if (period > 0 && tokens.size() >= period && (hash >> 8) % 8 != 0) {
    const Token before = tokens[tokens.size() - period];
    if (before != end_token && before < poison) return before;
  }
  return static_cast<Token>((hash >> 16) % (vocabulary - 1));
}

/// An image of the table model: `cells` embeddings of one number each.
inline ImagePiece table_image(int cells, int positions, int seed = 0) {
  ImagePiece piece{.cells = cells, .positions = positions};
  for (int i = 0; i < cells; ++i) piece.embeddings.push_back(static_cast<float>(seed * 31 + i));
  return piece;
}
inline constexpr float broken_pixel = -1;  ///< In an image: computing it fails.

/// What the table has in a cell of an image in place of a token.
inline Token token_of(float embedding) { return 1000 + static_cast<Token>(embedding); }

inline char letter_of(Token token) { return static_cast<char>('!' + token); }

/// A model as a table, with a KV cache that it checks and that can be too small or fail.
class TableDecoder : public Decoder {
 public:
  DecodeStatus decode(std::span<const BatchEntry> batch) override {
    batches.emplace_back(batch.begin(), batch.end());
    rows.clear();
    if (cells_held() + static_cast<int>(batch.size()) > cells) return DecodeStatus::no_room;
    for (const BatchEntry& entry : batch) {
      Held& held = cache[entry.sequence];
      gap = gap || held.next != entry.position || entry.token < 0;
      add(held, entry.token, entry.position);
      held.next = entry.position + 1;
    }
    if (static_cast<int>(batch.size()) > batch_works) return DecodeStatus::failed;
    for (const BatchEntry& entry : batch) {
      if (entry.token == poison) return DecodeStatus::failed;
    }
    return DecodeStatus::done;
  }

  DecodeStatus decode_image(const ImagePiece& piece, int position, int sequence) override {
    ++images;
    if (cells_held() + piece.cells > cells) return DecodeStatus::no_room;
    Held& held = cache[sequence];
    gap = gap || held.next != position;
    for (const float embedding : piece.embeddings) {
      add(held, token_of(embedding), position);
      held.next = position + 1;  // as far as a failure is concerned
      if (embedding == broken_pixel) return DecodeStatus::failed;
    }
    held.next = position + piece.positions;
    return DecodeStatus::done;
  }

  std::span<const float> logits(std::size_t index) override {
    const BatchEntry& entry = batches.back()[index];
    unasked = unasked || !entry.wants_logits;
    const Held& held = cache[entry.sequence];
    const auto end = std::ranges::upper_bound(held.positions, entry.position);
    std::vector<float>& row = rows[index];
    row.assign(vocabulary, broken ? std::numeric_limits<float>::quiet_NaN() : 0.0F);
    row[next_token({held.tokens.begin(), held.tokens.begin() + (end - held.positions.begin())},
                   period)] += 1;
    return row;
  }

  bool forget(int sequence, int position) override {
    Held& held = cache[sequence];
    if (position >= held.next) return true;
    const bool whole = !recurrent || position == 0;
    drop(held, whole ? position : 0);
    return whole;
  }

  bool ends_answer(Token token) const override { return token == end_token; }
  std::string bytes_of(Token token) const override { return std::string(1, letter_of(token)); }

  bool shares() const override { return !recurrent; }

  void share(int from, int to, int tokens) override {
    gap = gap || cache[to].next != 0 || cache[from].next < tokens;
    cache[to] = cache[from];
    for (const int cell : cache[to].cells) ++holders[cell];
    drop(cache[to], tokens);
  }

  /// What sequences share counts once.
  int cells_held() const { return held_; }

  int cells = 1 << 20;
  int batch_works = 1 << 20;  ///< Larger batches fail.
  bool broken = false;        ///< Logits are NaN.
  bool recurrent = false;
  std::size_t period = 0;  ///< Of what the model repeats; 0: nothing.
  // What the scheduler must never do.
  bool gap = false;      ///< A position that does not follow on what the cache holds.
  bool unasked = false;  ///< Logits of an entry that did not want any.

  /// What the cache holds of a sequence.
  struct Held {
    std::vector<Token> tokens;
    std::vector<int> positions;  ///< Of each; those of an image stand at one.
    std::vector<int> cells;      ///< Of each, where it is.
    int next = 0;                ///< Position of what follows.
  };
  std::map<int, Held> cache;
  std::vector<std::vector<BatchEntry>> batches;
  std::vector<int> holders;  ///< Of each cell there ever was: how many sequences.
  int images = 0;            ///< That were to be computed.
  std::map<std::size_t, std::vector<float>>
      rows;  ///< Logits of the last batch, as they were asked for.

 private:
  void add(Held& held, Token token, int position) {
    held.tokens.push_back(token);
    held.positions.push_back(position);
    held.cells.push_back(static_cast<int>(holders.size()));
    holders.push_back(1);
    ++held_;
  }

  void drop(Held& held, int from) {
    while (!held.positions.empty() && held.positions.back() >= from) {
      if (--holders[held.cells.back()] == 0) --held_;
      held.positions.pop_back();
      held.tokens.pop_back();
      held.cells.pop_back();
    }
    held.next = from;
  }

  int held_ = 0;
};

/// Drafts what the table says, but for every `wrong`-th token.
class TableDrafter : public Drafter {
 public:
  std::vector<Token> draft(std::span<const Token> text, int most) override {
    std::vector<Token> all(text.begin(), text.end());
    while (static_cast<int>(all.size() - text.size()) < most) {
      const bool errs = wrong > 0 && all.size() % wrong == 0;
      all.push_back(errs ? static_cast<Token>(all.size() % vocabulary) : next_token(all, period));
    }
    return {all.begin() + static_cast<std::ptrdiff_t>(text.size()), all.end()};
  }
  double seconds_per_token() const override { return 0.001; }
  double take_seconds() override { return 0; }

  std::size_t period = 0;  ///< The table's.
  std::size_t wrong = 0;   ///< 0: never.
};

struct Asked {
  Prompt prompt;
  std::optional<int> tokens_max = 40;
  int context_tokens = 4096;
  std::vector<std::string> stop_sequences = {};
  std::optional<SteadyTime> deadline = std::nullopt;
  Priority priority = Priority::normal;
  int cache_point = 0;
  bool repeatable = false;
};

inline std::vector<Token> prompt_of(int length, int seed) {
  std::minstd_rand random(static_cast<unsigned>(seed) + 1);
  std::vector<Token> prompt;
  for (int i = 0; i < length; ++i)
    prompt.push_back(1 + static_cast<Token>(random() % (vocabulary - 2)));
  return prompt;
}

/// `before`, an image, `after`.
inline Prompt prompt_with_image(const std::vector<Token>& before, ImagePiece image,
                                const std::vector<Token>& after) {
  Prompt prompt(before);
  prompt.add(std::move(image));
  prompt.add(after);
  return prompt;
}

/// What the table has in each cell of `prompt`.
inline std::vector<Token> cells_of(const Prompt& prompt) {
  std::vector<Token> tokens = prompt.tokens();
  for (const Prompt::Image& image : prompt.images()) {
    for (int i = 0; i < image.piece->cells; ++i) {
      tokens[image.begin + i] = token_of(image.piece->embeddings[i]);
    }
  }
  return tokens;
}

/// The answer as one who has the table all alone reads it off.
inline std::string read_off(const Asked& asked, std::size_t period = 0) {
  std::vector<Token> tokens = cells_of(asked.prompt);
  std::string text;
  for (int i = 0; i < asked.tokens_max.value_or(1 << 20); ++i) {
    tokens.push_back(next_token(tokens, period));
    if (tokens.back() == end_token) break;
    text += letter_of(tokens.back());
    if (static_cast<int>(tokens.size()) >= asked.context_tokens) break;
  }
  return text;
}

}  // namespace craton::engines::llama
