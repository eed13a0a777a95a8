#include "engines/llama/step_cost.h"

#include <algorithm>
#include <utility>

namespace craton::engines::llama {
namespace {

constexpr double fading = 0.98;  // the last 50 steps count
constexpr double single_weight = 0.1;
constexpr double usual_weight = 0.1;
constexpr double change_weight = 0.1;
constexpr double longer_most = 4;     // times the usual: what is beyond had other reasons
constexpr double longer_least = 0.2;  // less is nothing but noise

// Of the beginning: until batches of several sizes were seen, and at least.
constexpr double slope_at_first = 0.4;
constexpr double slope_min = 0.02;

}  // namespace

void StepCost::observe(int tokens, double seconds) {
  const bool settled = tokens == last_ && tokens == before_last_;
  before_last_ = std::exchange(last_, tokens);
  if (tokens < 1 || tokens > tokens_max || seconds <= 0) return;
  double& usual = usual_[static_cast<std::size_t>(tokens)];
  if (settled) {
    usual += (seconds - usual) * (usual == 0 ? 1 : usual_weight);
  } else {
    if (usual > 0) {
      longer_ += (std::min(seconds / usual - 1, longer_most) - longer_) * change_weight;
    }
    if (longer_ > longer_least) seconds /= 1 + longer_;
  }
  if (tokens == 1) {
    single_ += (seconds - single_) * (single_ == 0 ? 1 : single_weight);
    if (n_ > 0) single_part_ += (seconds / line().begin - single_part_) * single_weight;
    single_part_ = std::clamp(single_part_, 0.5, 1.0);
    return;
  }
  for (double* sum : {&n_, &x_, &y_, &xx_, &xy_}) *sum *= fading;
  const double x = tokens - 1;
  n_ += 1;
  x_ += x;
  y_ += seconds;
  xx_ += x * x;
  xy_ += x * seconds;
}

StepCost::Line StepCost::line() const {
  if (n_ == 0) return {single_, single_ * slope_at_first};
  const double spread = n_ * xx_ - x_ * x_;
  if (n_ < 2 || spread < 0.05 * n_ * n_) {
    const double begin = y_ / (n_ + slope_at_first * x_);
    return {begin, begin * slope_at_first};
  }
  const double rise = (n_ * xy_ - x_ * y_) / spread;
  const double begin = (y_ - rise * x_) / n_;
  if (begin <= 0) return {y_ / (n_ + x_), y_ / (n_ + x_)};
  return {begin, std::clamp(rise, begin * slope_min, begin)};
}

double StepCost::seconds() const { return line().begin * single_part_; }

double StepCost::of(int tokens) const {
  const Line fitted = line();
  if (tokens <= 1) return 1;
  const double slope = fitted.begin > 0 ? fitted.rise / fitted.begin : slope_at_first;
  return (1 + slope * (tokens - 1)) / single_part_;
}

/// In units of a batch of one: what guesses cost by making the batch another size than the last.
/// From where there were none, one changes it twice, and the step after it is longer too: three
/// steps. Where the last was of another size already, one more is.
double StepCost::change(int answers, int tokens) const {
  if (tokens == last_ || longer_ <= longer_least) return 0;
  return (last_ == answers ? 3 : 1) * longer_ * of(answers);
}

bool StepCost::worth_changing(int answers, int tokens, double expected) const {
  const double each = of(answers) / answers;  // what a token takes without guesses
  return (expected - answers) * each > of(tokens) - of(answers) + change(answers, tokens);
}

int StepCost::worthwhile(int tokens, double expected, std::span<const double> probabilities,
                         double each) const {
  double best = expected / of(tokens);
  double holds = 1;
  int worth = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const auto guessed = static_cast<int>(i) + 1;
    expected += holds *= probabilities[i];
    const double rate = expected / (of(tokens + guessed) + each * guessed);
    if (rate <= best) continue;
    best = rate;
    worth = guessed;
  }
  return worth;
}

}  // namespace craton::engines::llama
