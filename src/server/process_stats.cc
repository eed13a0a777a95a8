#include "server/process_stats.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace craton::server {
namespace {

std::string text_of(const char* file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::uint64_t resident_bytes() {
  std::istringstream statm(text_of("/proc/self/statm"));
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

int open_files() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  const auto count = std::distance(begin(files), end(files));
  return static_cast<int>(count) - 1;  // without the one that looks
}

/// Ticks from the machine's start to the process's: the 22nd field, the 20th after the name, which
/// may hold blanks and parentheses.
double ticks_at_start() {
  const std::string stat = text_of("/proc/self/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;
  return std::strtod(field.c_str(), nullptr);
}

/// The same for as long as the process lives, however the wall clock is set: read once.
double start_time() {
  static const double started = [] {
    const double since_boot = ticks_at_start() / static_cast<double>(sysconf(_SC_CLK_TCK));
    return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) + since_boot;
  }();
  return started;
}

}  // namespace

ProcessStats process_stats() {
  return {.resident_bytes = resident_bytes(),
          .cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
          .open_files = open_files(),
          .started = start_time()};
}

}  // namespace craton::server
