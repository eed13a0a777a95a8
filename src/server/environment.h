// This process's variables and folders, for the commands that use them.
#pragma once

#include <optional>
#include <string>

#include "models/store.h"

namespace craton::server {

/// The value of a variable; nullopt when unset.
std::optional<std::string> process_environment(const std::string& name);

/// The store in `data`; empty: in the cache folder.
models::Store store_of(const std::string& data);

}  // namespace craton::server
