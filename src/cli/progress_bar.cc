#include "cli/progress_bar.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace craton::cli {
namespace {

constexpr std::chrono::milliseconds redraw_every{100};

std::size_t terminal_columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string bar(double part, std::size_t width) {
  const auto full = static_cast<std::size_t>(part * static_cast<double>(width));
  return std::string(full, '#') + std::string(width - full, '.');
}

}  // namespace

std::string megabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

ProgressBar::ProgressBar() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(std::string_view what, std::uint64_t done, std::uint64_t total) {
  const Clock::time_point now = Clock::now();
  if (what != what_) {
    clear();
    what_ = what;
    began_at_ = now;
    began_with_ = done;
    tenths_ = 0;
  }
  if (!on_terminal_) {
    const std::uint64_t tenths = total == 0 ? 0 : done * 10 / total;
    if (tenths <= tenths_) return;
    tenths_ = tenths;
    std::fprintf(stderr, "%s: %llu %%\n", what_.c_str(),
                 static_cast<unsigned long long>(tenths * 10));
    return;
  }
  if (drawn_ && now - drawn_at_ < redraw_every && done < total) return;
  drawn_at_ = now;
  draw(what, done, total);
}

void ProgressBar::draw(std::string_view what, std::uint64_t done, std::uint64_t total) {
  const double part =
      total == 0 ? 0.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const double seconds = std::chrono::duration<double>(drawn_at_ - began_at_).count();
  const double rate = seconds > 0.5 ? static_cast<double>(done - began_with_) / seconds : 0;
  std::string numbers =
      fmt::format(" {:3.0f} %  {} of {}", part * 100, megabytes(done), megabytes(total));
  if (rate > 0) {
    numbers += fmt::format("  {:.1f} MB/s  {:.0f} s left", rate / 1e6,
                           static_cast<double>(total - std::min(done, total)) / rate);
  }
  const std::size_t used = what.size() + 1 + numbers.size() + 1;
  const std::size_t columns = terminal_columns();
  std::string line(what);
  if (columns > used + 10) line += " " + bar(part, std::min<std::size_t>(columns - used, 40));
  line += numbers;
  if (line.size() >= columns) line.resize(columns - 1);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace craton::cli
