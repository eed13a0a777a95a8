// A progress bar on standard error: redrawn in place on a terminal, a line each tenth elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace craton::cli {

class ProgressBar {
 public:
  ProgressBar();

  /// Bytes done, of all. Draws ten times a second at most.
  void show(std::string_view what, std::uint64_t done, std::uint64_t total);

  /// Ends the line, if one is being drawn, so that something else can be printed.
  void clear();

 private:
  void draw(std::string_view what, std::uint64_t done, std::uint64_t total);

  using Clock = std::chrono::steady_clock;
  bool on_terminal_;
  bool drawn_ = false;
  std::string what_;
  Clock::time_point drawn_at_;
  Clock::time_point began_at_;
  std::uint64_t began_with_ = 0;  ///< Bytes that were there when `what_` began.
  std::uint64_t tenths_ = 0;
};

/// "491.4 MB"
std::string megabytes(std::uint64_t bytes);

}  // namespace craton::cli
