// StepCost: what one more token in a batch costs, learnt from the steps that were made, and so how
// many guessed tokens are worth their computing.
//
//   time of a step = fixed + per_token × tokens        (fitted to the last steps, old ones fade)
//
// A batch of one is computed in another way than larger ones, and cheaper: by how much is learnt by
// itself.
//
// A GPU prepares for batches of one size: a step of another takes longer, and so does the one after
// it. By how much is learnt from steps of sizes whose usual time is known.
//
// A guess that holds with probability p makes p tokens for per_token seconds. That is worth it
// while it is more than the batch makes in that time without it.
//
// No clock: it is told. No threads, no I/O.
#pragma once

#include <array>
#include <span>

namespace craton::engines::llama {

class StepCost {
 public:
  /// Batches beyond are computed in another way, and say nothing of smaller ones.
  static constexpr int tokens_max = 64;

  /// Every step, one after another.
  void observe(int tokens, double seconds);

  /// Of a batch of `tokens`, in units in which a batch of one costs 1.
  double of(int tokens) const;

  /// Seconds of a batch of one; 0 when nothing is known.
  double seconds() const;

  /// Whether a batch of `tokens`, from which `expected` tokens of answers will come, is worth more
  /// than one of `answers` without guesses, after batches of the sizes that the last ones had.
  bool worth_changing(int answers, int tokens, double expected) const;

  /// How many tokens of a guess to add to a batch of `tokens`, from which `expected` tokens of
  /// answers will come. `probabilities`: each one's, when those before it held. `each`: what making
  /// one of them costs, in the units of of().
  int worthwhile(int tokens, double expected, std::span<const double> probabilities,
                 double each = 0) const;

 private:
  struct Line {
    double begin;  ///< Seconds of a batch of one, if it were computed as larger ones are.
    double rise;   ///< Seconds of each further token.
  };
  Line line() const;
  double change(int answers, int tokens) const;

  // Sums over the steps of several tokens: weight, tokens, seconds, and products.
  double n_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0;
  double single_ = 0;       ///< Seconds of a batch of one, while none of several was seen.
  double single_part_ = 1;  ///< Of the line's beginning, that a batch of one takes.

  int last_ = 0;         ///< Tokens of the last step,
  int before_last_ = 0;  ///< and of the one before it.
  /// Seconds of a step by its tokens, where the last two had as many. 0: unknown.
  std::array<double, tokens_max + 1> usual_{};
  double longer_ = 0;  ///< By what part of it a step takes longer where they had not.
};

}  // namespace craton::engines::llama
