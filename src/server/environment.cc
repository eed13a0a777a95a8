#include "server/environment.h"

#include <cstdlib>

namespace craton::server {

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

models::Store store_of(const std::string& data) {
  return models::Store(data.empty() ? models::cache_folder(process_environment)
                                    : std::filesystem::path(data));
}

}  // namespace craton::server
