// What the configured models would take, or why they cannot answer: for `craton doctor`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/config.h"

namespace craton::server {

/// What a configured model would take, or why it cannot be loaded.
struct ModelCheck {
  std::string name;                    ///< As the configuration says it.
  std::string where;                   ///< "vllm at http://10.0.0.2:8000"; empty: here.
  std::uint64_t bytes = 0;             ///< Of memory, about.
  std::optional<std::string> problem;  ///< With the cure.
};

/// Looks at the files of all models that `config` names, the default one first; loads none. Asks
/// every server that answers for one how it is, which takes seconds at most.
std::vector<ModelCheck> check_models(const Config& config);

}  // namespace craton::server
