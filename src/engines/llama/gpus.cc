#include "engines/llama/gpus.h"

#include <ggml-backend.h>

#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"
#include "engines/llama/llama_log.h"

namespace craton::engines::llama {
namespace {

constexpr std::string_view built_for = CRATON_GPU;  // "cuda", "vulkan" or nothing

}  // namespace

std::vector<ggml_backend_device*> gpus() {
  std::vector<ggml_backend_device*> devices;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU) devices.push_back(device);
  }
  return devices;
}

void warn_without_gpu() {
  static std::once_flag looked;
  std::call_once(looked, [] {
    if (built_for.empty()) return;
    const ErrorCollector collector;  // devices are looked for when they are first asked for
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
      if (ggml_backend_dev_type(ggml_backend_dev_get(i)) != GGML_BACKEND_DEVICE_TYPE_CPU) return;
    }
    log::warning("gpu_not_found", {{"built_for", std::string(built_for)},
                                   {"reason", collector.errors_or("no device was found")},
                                   {"computes", "the processor"}});
  });
}

}  // namespace craton::engines::llama
