// Time as a parameter: what reads it takes a Clock, so that tests bring their own.
#pragma once

#include <chrono>

namespace craton {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// `WallTime now()`, replaceable in tests.
using WallClock = WallTime (*)();

inline WallTime system_now() { return std::chrono::system_clock::now(); }

}  // namespace craton
