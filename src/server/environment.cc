#include "server/environment.h"

#include <cstdlib>

namespace craton::server {

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::filesystem::path data_folder(const std::string& data) {
  return data.empty() ? models::cache_folder(process_environment) : std::filesystem::path(data);
}

std::filesystem::path key_file_of(const Config& config) {
  return config.keys.empty() ? data_folder(config.data) / "keys.json"
                             : std::filesystem::path(config.keys);
}

std::string resource_store_name(const Config& config) {
  return config.store.empty() ? (data_folder(config.data) / "craton.db").string() : config.store;
}

std::unique_ptr<store::Store> resource_store_of(const Config& config) {
  if (config.store == "memory") return store::Store::in_memory();
  return std::make_unique<store::Store>(resource_store_name(config));
}

models::Store store_of(const std::string& data) { return models::Store(data_folder(data)); }

}  // namespace craton::server
