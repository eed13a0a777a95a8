// StepCost: what one more token in a batch costs, learnt from the steps that were made, and so how
// many guessed tokens are worth their computing.
//
//   time of a step = fixed + per_token × tokens        (fitted to the last steps, old ones fade)
//
// A guess that holds with probability p makes p tokens for per_token seconds. That is worth it
// while it is more than the batch makes in that time without it.
//
// No clock: it is told. No threads, no I/O.
#pragma once

namespace craton::engines::llama {

class StepCost {
 public:
  /// Batches beyond are computed in another way, and say nothing of smaller ones.
  static constexpr int tokens_max = 64;

  void observe(int tokens, double seconds);

  /// Of a batch of `tokens`, in units in which a batch of one costs 1.
  double of(int tokens) const;

  /// How many tokens of a guess to add to a batch of `tokens`, from which `expected` tokens of
  /// answers will come. `probability` is each one's, when those before it held; at most `most`.
  int worthwhile(int tokens, double expected, double probability, int most) const;

 private:
  double slope() const;

  // Sums over the steps: weight, tokens, seconds, and products.
  double n_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0;
};

/// How often guesses held lately, of one answer.
class Acceptance {
 public:
  void observe(bool held) { probability_ += (held - probability_) * weight; }
  double probability() const { return probability_; }

 private:
  static constexpr double weight = 0.08;  // of the latest: a dozen guesses make a difference
  double probability_ = 0.6;              // until something is known
};

}  // namespace craton::engines::llama
