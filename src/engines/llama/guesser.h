// Guesser: how one answer may go on, as far as that is worth computing together with its next
// token.
//
// Guesses come from what stands before it (prompt_lookup.h), or from a smaller model where there is
// one (drafter.h). How often they hold is learnt from what the model then chooses, for each kind of
// guess by itself; what they cost is known from the steps that were made (step_cost.h).
//
// No threads, no clock.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "engines/llama/decoder.h"
#include "engines/llama/drafter.h"
#include "engines/llama/prompt_lookup.h"
#include "engines/llama/step_cost.h"

namespace craton::engines::llama {

/// The batch that a guess is to join.
struct GuessedBatch {
  int tokens;       ///< That it has already.
  double expected;  ///< Tokens of answers that will come of those.
  int most;         ///< Room for guesses of this answer.
  SteadyTime now = {};
};

/// Whether an answer is made faster with drafts or without: both are tried, the slower one now and
/// then. What counts is what tokens took, whatever the reason.
class DraftTrial {
 public:
  /// The answer has `tokens` now. True when a draft is to be made.
  bool drafts(int tokens, SteadyTime now);

 private:
  void observe(int tokens, SteadyTime now);

  std::array<double, 2> pace_{};  ///< Seconds a token, without and with; 0: not tried yet.
  bool drafting_ = false;
  int until_ = 0;     ///< Tokens at which this is looked at again.
  int tokens_ = 0;    ///< When this was last asked,
  SteadyTime asked_;  ///< and the time then.
};

class Guesser {
 public:
  /// What follows on `text`, which begins as at the call before; often nothing. `drafter` may be
  /// null.
  std::vector<Token> guess(std::span<const Token> text, const GuessedBatch& batch,
                           const StepCost& cost, Drafter* drafter);

  /// Tokens that will come of the last guess, on average.
  double expected() const { return expected_; }

  /// The model chose `token` to follow on the text, or on as much of the last guess as held.
  void chose(Token token);

 private:
  // Guesses from the text by how much before them was the same, then those of the drafter.
  static constexpr std::array matched_bounds{0, 2, 4, 8, 16};
  static constexpr std::size_t drafted = matched_bounds.size() + 1;
  static std::size_t kind_of(int matched);

  struct Guessed {
    Token token;
    std::size_t kind;
  };

  std::vector<double> probabilities(int matched, std::size_t tokens) const;
  void draft(std::span<const Token> text, const GuessedBatch& batch, const StepCost& cost,
             Drafter& drafter);

  PromptLookup lookup_;
  std::vector<Guessed> guessed_;
  std::size_t held_ = 0;  ///< Of `guessed_`.
  double expected_ = 0;
  DraftTrial trial_;
  /// How often each kind held lately. Until something is known: more where more is the same.
  std::array<double, drafted + 1> held_lately_{0.25, 0.35, 0.5, 0.65, 0.8, 0.9, 0.7};
};

}  // namespace craton::engines::llama
