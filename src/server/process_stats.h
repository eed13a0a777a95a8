// What the kernel knows of this process.
#pragma once

#include <cstdint>

namespace craton::server {

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;  ///< User and system.
  int open_files = 0;
  double started = 0;  ///< Seconds since the epoch.
};

/// Reads /proc; what cannot be read stays 0.
ProcessStats process_stats();

}  // namespace craton::server
