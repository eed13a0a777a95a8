#include "engines/llama/guesser.h"

#include <algorithm>

namespace craton::engines::llama {
namespace {

constexpr double weight = 0.08;  // of the latest: a dozen guesses make a difference

// Where drafts are not worth their time, one is tried after so many tokens: texts change.
constexpr int tokens_between_trials = 64;

// A guess from the text before which so much is the same is better than a draft, and costs nothing.
constexpr int matched_enough = 5;

}  // namespace

std::size_t Guesser::kind_of(int matched) {
  return static_cast<std::size_t>(std::ranges::lower_bound(matched_bounds, matched) -
                                  matched_bounds.begin());
}

/// Each token's of a guess, when those before it held: more is the same then.
std::vector<double> Guesser::probabilities(int matched, std::size_t tokens) const {
  std::vector<double> all(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    all[i] = held_lately_[kind_of(matched + static_cast<int>(i))];
  }
  return all;
}

/// False when a draft is not worth its time, or there is none.
bool Guesser::drafts(const GuessedBatch& batch, const StepCost& cost, Drafter& drafter,
                     std::span<const Token> text) {
  const double step = cost.seconds();
  const double each = step > 0 ? drafter.seconds_per_token() / step : 0;
  const std::vector<double> likely(static_cast<std::size_t>(std::max(batch.most, 0)),
                                   held_lately_[drafted]);
  int worth = cost.worthwhile(batch.tokens, batch.expected, likely, each);
  if (worth == 0) {
    if (--until_draft_ > 0 || batch.most < 1) return false;
    worth = 1;
  }
  until_draft_ = tokens_between_trials;
  for (const Token token : drafter.draft(text, worth)) guessed_.push_back({token, drafted});
  return !guessed_.empty();
}

std::vector<Token> Guesser::guess(std::span<const Token> text, const GuessedBatch& batch,
                                  const StepCost& cost, Drafter* drafter) {
  guessed_.clear();
  held_ = 0;
  expected_ = 0;
  const Guess found = lookup_.guess(text, std::max(batch.most, 1));
  std::vector<double> likely = probabilities(found.matched, found.tokens.size());
  auto worth = static_cast<std::size_t>(
      batch.most > 0 ? cost.worthwhile(batch.tokens, batch.expected, likely) : 0);
  if (drafter && (worth == 0 || found.matched < matched_enough) &&
      drafts(batch, cost, *drafter, text)) {
    worth = guessed_.size();
    likely.assign(worth, held_lately_[drafted]);
  } else {
    // Whether the first held is worth knowing in any case.
    const std::size_t noted = std::min(std::max<std::size_t>(worth, 1), found.tokens.size());
    for (std::size_t i = 0; i < noted; ++i) {
      guessed_.push_back({found.tokens[i], kind_of(found.matched + static_cast<int>(i))});
    }
  }
  std::vector<Token> guessed;
  double holds = 1;
  for (std::size_t i = 0; i < worth; ++i) {
    guessed.push_back(guessed_[i].token);
    expected_ += holds *= likely[i];
  }
  return guessed;
}

void Guesser::chose(Token token) {
  if (held_ >= guessed_.size()) return;
  const Guessed& guessed = guessed_[held_];
  const bool held = guessed.token == token;
  double& lately = held_lately_[guessed.kind];
  lately += (held - lately) * weight;
  held_ = held ? held_ + 1 : guessed_.size();
}

}  // namespace craton::engines::llama
