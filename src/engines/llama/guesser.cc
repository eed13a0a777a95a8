#include "engines/llama/guesser.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace craton::engines::llama {
namespace {

constexpr double weight = 0.08;  // of the latest: a dozen guesses make a difference

// Tokens for which drafts are tried, or done without, before the two are compared; then the better
// one goes on for so many. Where one takes a quarter more time, trying it takes 3 % of all.
constexpr int tokens_of_trial = 8;
constexpr int tokens_between_trials = 64;
constexpr double pace_weight = 0.05;  // of the latest token

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

void DraftTrial::observe(int tokens, SteadyTime now) {
  const int made = tokens - tokens_;
  const double seconds = std::chrono::duration<double>(now - asked_).count();
  if (made > 0 && seconds > 0 && tokens_ > 0) {
    double& pace = pace_[drafting_ ? 1 : 0];
    const double part = pace == 0 ? 1 : 1 - std::pow(1 - pace_weight, made);
    pace += (seconds / made - pace) * part;
  }
  tokens_ = tokens;
  asked_ = now;
}

bool DraftTrial::drafts(int tokens, SteadyTime now) {
  observe(tokens, now);
  if (tokens < until_) return drafting_;
  const bool tried = pace_[0] > 0 && pace_[1] > 0;
  const bool better = pace_[1] < pace_[0];
  if (until_ == 0) {
    drafting_ = false;
  } else if (!tried || drafting_ == better) {
    drafting_ = !drafting_;  // the other one's turn to be tried
  } else {
    drafting_ = better;
  }
  until_ = tokens + (tried && drafting_ == better ? tokens_between_trials : tokens_of_trial);
  return drafting_;
}

/// As many tokens as are likely to be worth it, at least one: whether that holds, DraftTrial sees.
void Guesser::draft(std::span<const Token> text, const GuessedBatch& batch, const StepCost& cost,
                    Drafter& drafter) {
  const double step = cost.seconds();
  const double each = step > 0 ? drafter.seconds_per_token() / step : 0;
  const std::vector<double> likely(static_cast<std::size_t>(batch.most), held_lately_[drafted]);
  const int worth = cost.worthwhile(batch.tokens, batch.expected, likely, each);
  for (const Token token : drafter.draft(text, std::max(worth, 1))) {
    guessed_.push_back({token, drafted});
  }
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
  const bool drafts = drafter && batch.most > 0 &&
                      trial_.drafts(static_cast<int>(text.size()), batch.now) &&
                      (worth == 0 || found.matched < matched_enough);
  if (drafts) draft(text, batch, cost, *drafter);
  if (!guessed_.empty()) {
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
