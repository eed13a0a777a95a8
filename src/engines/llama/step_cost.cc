#include "engines/llama/step_cost.h"

#include <algorithm>

namespace craton::engines::llama {
namespace {

constexpr double fading = 0.98;  // the last 50 steps count

// Of a batch of one: until batches of several sizes were seen, and at least.
constexpr double slope_at_first = 0.4;
constexpr double slope_min = 0.02;

}  // namespace

void StepCost::observe(int tokens, double seconds) {
  if (tokens < 1 || tokens > tokens_max || seconds <= 0) return;
  for (double* sum : {&n_, &x_, &y_, &xx_, &xy_}) *sum *= fading;
  const double x = tokens - 1;
  n_ += 1;
  x_ += x;
  y_ += seconds;
  xx_ += x * x;
  xy_ += x * seconds;
}

StepCost::Line StepCost::line() const {
  const double spread = n_ * xx_ - x_ * x_;
  if (n_ < 2 || spread < 0.05 * n_ * n_) {
    return {n_ > 0 ? y_ / (n_ + slope_at_first * x_) : 0, slope_at_first};
  }
  const double rise = (n_ * xy_ - x_ * y_) / spread;
  const double one = (y_ - rise * x_) / n_;
  if (one <= 0) return {y_ / (n_ + x_), 1};
  return {one, std::clamp(rise / one, slope_min, 1.0)};
}

double StepCost::of(int tokens) const { return 1 + line().slope * (tokens - 1); }

double StepCost::seconds() const { return line().one; }

int StepCost::worthwhile(int tokens, double expected, std::span<const double> probabilities,
                         double each) const {
  const double rise = line().slope;
  double cost = 1 + rise * (tokens - 1);
  double best = expected / cost;
  double holds = 1;
  int worth = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    expected += holds *= probabilities[i];
    cost += rise + each;
    if (expected / cost <= best) continue;
    best = expected / cost;
    worth = static_cast<int>(i) + 1;
  }
  return worth;
}

}  // namespace craton::engines::llama
