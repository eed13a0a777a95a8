// How many threads a model should compute with on this machine.
#pragma once

#include <filesystem>

namespace craton::engines::llama {

/// Physical cores that this process may use: two threads on one core share what the model's kernels
/// are limited by. Honours the affinity mask and a container's CPU quota (cgroup v2). At least 1.
/// `system`: where /sys is, for tests.
int usable_cores(const std::filesystem::path& system = "/sys");

}  // namespace craton::engines::llama
