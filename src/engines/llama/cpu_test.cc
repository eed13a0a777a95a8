#include "engines/llama/cpu.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <string>

namespace craton::engines::llama {
namespace {

namespace fs = std::filesystem;

/// A /sys in which all of this process's CPUs are described as the test says.
class UsableCores : public testing::Test {
 protected:
  void SetUp() override {
    system_ = fs::path(testing::TempDir()) /
              (std::string("craton-sys-") +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    CPU_ZERO(&allowed_);
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed_, &allowed_), 0);
  }
  void TearDown() override { fs::remove_all(system_); }

  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((system_ / path).parent_path());
    std::ofstream(system_ / path) << text << '\n';
  }

  void write_siblings(int threads_per_core) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed_)) continue;
      write("devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
            std::to_string(cpu / threads_per_core));
    }
  }

  fs::path system_;
  cpu_set_t allowed_;
};

TEST_F(UsableCores, AreAllCpusWhereNothingIsKnown) {
  EXPECT_EQ(usable_cores(system_), CPU_COUNT(&allowed_));
}

TEST_F(UsableCores, CountThreadsOfOneCoreOnce) {
  write_siblings(CPU_SETSIZE);
  EXPECT_EQ(usable_cores(system_), 1);
}

TEST_F(UsableCores, KeepToTheQuotaOfAContainer) {
  write_siblings(1);
  write("fs/cgroup/cpu.max", "50000 100000");
  EXPECT_EQ(usable_cores(system_), 1) << "half a CPU is one thread";
  write("fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(usable_cores(system_), CPU_COUNT(&allowed_));
}

TEST_F(UsableCores, AreAtLeastOneHere) { EXPECT_GE(usable_cores(), 1); }

}  // namespace
}  // namespace craton::engines::llama
