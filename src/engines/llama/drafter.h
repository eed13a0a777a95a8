// Drafter: guesses how a text goes on by a smaller model of the same vocabulary.
//
// It has read some text; asked for another it goes on from what the two have in common. Long texts
// are read a batch a call, so that the answers of the large model do not wait for it.
#pragma once

#include <span>
#include <vector>

#include "base/clock.h"
#include "engines/llama/decoder.h"

namespace craton::engines::llama {

/// One thread calls it.
class Drafter {
 public:
  virtual ~Drafter() = default;

  /// Up to `most` tokens behind `text`, likely ones; none while it has not read all of it.
  virtual std::vector<Token> draft(std::span<const Token> text, int most) = 0;

  /// What one more token of a draft takes, as of late; 0 when nothing is known.
  virtual double seconds_per_token() const = 0;

  /// Seconds spent in draft() since this was last called.
  virtual double take_seconds() = 0;
};

/// Drafts greedily with sequence 0 of `model`, which nobody else uses.
class ModelDrafter : public Drafter {
 public:
  struct Bounds {
    int cells;         ///< Of the model's KV cache.
    int batch_tokens;  ///< Most in one batch.
    int vocabulary;    ///< Tokens from here on mean something else to the large model, or nothing.
  };
  ModelDrafter(Decoder& model, Bounds bounds) : model_(model), bounds_(bounds) {}

  std::vector<Token> draft(std::span<const Token> text, int most) override;
  double seconds_per_token() const override { return per_token_; }
  double take_seconds() override;

 private:
  bool read(std::span<const Token> text);
  bool compute(std::span<const Token> tokens);
  void forget(std::size_t length);

  Decoder& model_;
  const Bounds bounds_;
  std::vector<Token> held_;  ///< What the model's cache holds.
  std::vector<BatchEntry> batch_;
  double per_token_ = 0;
  double spent_ = 0;
};

}  // namespace craton::engines::llama
