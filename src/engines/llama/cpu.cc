#include "engines/llama/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <string>

namespace craton::engines::llama {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// One per core: logical CPUs of a core name the same siblings. A CPU without that file counts
/// alone.
int allowed_cores(const std::filesystem::path& system) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string name = "cpu" + std::to_string(cpu);
    const std::string siblings =
        first_line(system / "devices/system/cpu" / name / "topology/thread_siblings_list");
    cores.insert(siblings.empty() ? name : siblings);
  }
  return static_cast<int>(cores.size());
}

/// cgroup v2's "quota period", in microseconds; "max" is no limit.
int quota_cores(const std::filesystem::path& system) {
  std::ifstream file(system / "fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || period <= 0) return std::numeric_limits<int>::max();
  return static_cast<int>(std::ceil(quota / period));
}

}  // namespace

int usable_cores(const std::filesystem::path& system) {
  return std::max(1, std::min(allowed_cores(system), quota_cores(system)));
}

}  // namespace craton::engines::llama
