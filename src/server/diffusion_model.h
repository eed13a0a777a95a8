// A configured model that draws, as the pool of models has it.
#pragma once

#include "base/result.h"
#include "engines/diffusion/diffusion_engine.h"
#include "models/store.h"
#include "server/config.h"

namespace craton::server {

/// Whether the configuration says that the model draws, or its file does. Reads the file's
/// beginning.
bool draws(const models::Store& store, const ModelConfig& config);

/// What the engine is told. Fails with `validation` when a file is not there; the message says what
/// to do.
Result<engines::diffusion::DiffusionOptions> diffusion_options(const models::Store& store,
                                                               const NamedModel& named);

}  // namespace craton::server
