// Whose turn comes first where not all requests fit.
//
// Those of a higher priority go before those of a lower one that came up to a handicap earlier:
// who has waited for longer than that is not overtaken any more, so that nobody waits for ever
// while others keep coming.
#pragma once

#include "base/clock.h"
#include "engines/engine.h"

namespace craton::engines {

constexpr std::chrono::seconds handicap_of(Priority priority) {
  switch (priority) {
    case Priority::high: return std::chrono::seconds(0);
    case Priority::normal: return std::chrono::seconds(20);
    case Priority::low: return std::chrono::seconds(80);
  }
  return {};
}

/// The earlier goes first.
constexpr SteadyTime turn_of(Priority priority, SteadyTime arrived) {
  return arrived + handicap_of(priority);
}

/// What `priority` is worth to a request that arrived then, for those who serve by priority.
constexpr Priority aged(Priority priority, SteadyTime arrived, SteadyTime now) {
  const auto left = turn_of(priority, arrived) - now;
  for (const Priority better : {Priority::high, Priority::normal}) {
    if (priority >= better && left <= handicap_of(better)) return better;
  }
  return priority;
}

}  // namespace craton::engines
