// This process's variables and folders, for the commands that use them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "models/store.h"
#include "server/config.h"
#include "store/store.h"

namespace craton::server {

/// The value of a variable; nullopt when unset.
std::optional<std::string> process_environment(const std::string& name);

/// The folder `data`; empty: the cache folder.
std::filesystem::path data_folder(const std::string& data);

/// The file of keys that the configuration means.
std::filesystem::path key_file_of(const Config& config);

/// The store of resources that the configuration means; opens nothing.
std::unique_ptr<store::Store> resource_store_of(const Config& config);

/// Where it is: a path, or "memory".
std::string resource_store_name(const Config& config);

/// The store of model files in `data`; empty: in the cache folder.
models::Store store_of(const std::string& data);

}  // namespace craton::server
