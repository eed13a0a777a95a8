// A binding that is told while the server runs: any bytes are read or refused, and so are the
// settings of a model in it.
#include <cstdint>
#include <string_view>

#include "server/config.h"
#include "server/new_binding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::server;
  static const Config config;
  const auto binding = read_new_binding({reinterpret_cast<const char*>(data), size});
  if (binding) (void)named_model(config, binding->model, binding->settings);
  return 0;
}
