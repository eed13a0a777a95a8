#include "server/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <vector>

namespace craton::server {
namespace {

TEST(ProcessStats, KnowsWhenTheProcessStarted) {
  const auto now = static_cast<double>(std::time(nullptr));
  const ProcessStats stats = process_stats();
  EXPECT_LE(stats.started, now + 1);
  EXPECT_GT(stats.started, now - 3600);
  EXPECT_EQ(process_stats().started, stats.started);
}

TEST(ProcessStats, CountsOpenFiles) {
  const int before = process_stats().open_files;
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(process_stats().open_files, before + 1);
  close(file);
}

TEST(ProcessStats, SeesMemoryAndWork) {
  const ProcessStats before = process_stats();
  std::vector<char> memory(64 << 20, 'x');
  const ProcessStats after = process_stats();
  EXPECT_GT(after.resident_bytes, before.resident_bytes + memory.size() / 2);
  EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
}

}  // namespace
}  // namespace craton::server
