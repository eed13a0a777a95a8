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

/// Seconds by which one more token prolongs a step, over those of a batch of one.
double StepCost::slope() const {
  const double spread = n_ * xx_ - x_ * x_;
  if (n_ < 2 || spread < 0.05 * n_ * n_) return slope_at_first;
  const double rise = (n_ * xy_ - x_ * y_) / spread;
  const double one = (y_ - rise * x_) / n_;
  if (one <= 0) return 1;
  return std::clamp(rise / one, slope_min, 1.0);
}

double StepCost::of(int tokens) const { return 1 + slope() * (tokens - 1); }

int StepCost::worthwhile(int tokens, double expected, double probability, int most) const {
  const double rise = slope();
  double cost = 1 + rise * (tokens - 1);
  double holds = 1;
  int worth = 0;
  while (worth < most) {
    holds *= probability;
    if (holds * cost <= expected * rise) break;
    expected += holds;
    cost += rise;
    ++worth;
  }
  return worth;
}

}  // namespace craton::engines::llama
