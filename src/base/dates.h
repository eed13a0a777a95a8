// Moments as text, in UTC.
#pragma once

#include <array>
#include <ctime>
#include <string>

#include "base/clock.h"

namespace craton {

/// As strftime() writes it.
inline std::string date_text(WallTime time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

/// "2026-11-26T12:00:00Z"
inline std::string date_text(WallTime time) { return date_text(time, "%Y-%m-%dT%H:%M:%SZ"); }

}  // namespace craton
