// How long steps of a model take, as histograms count them.
#pragma once

#include <array>

#include "metrics/instruments.h"

namespace craton::engines::llama {

// From a token of a tiny model to a batch of prompts of a large one.
inline constexpr std::array step_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                        0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
inline constexpr metrics::Buckets step_seconds{step_bounds, 1e-9};

}  // namespace craton::engines::llama
