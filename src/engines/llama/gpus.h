// The GPUs of this machine, as far as this build can compute on them.
#pragma once

#include <vector>

struct ggml_backend_device;

namespace craton::engines::llama {

std::vector<ggml_backend_device*> gpus();

/// Says once, where the build is for a GPU and there is none, that the processor computes instead,
/// and why.
void warn_without_gpu();

}  // namespace craton::engines::llama
