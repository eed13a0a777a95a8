// A configured model that other servers answer for.
#pragma once

#include "base/result.h"
#include "engines/upstream/upstream_engine.h"
#include "server/config.h"

namespace craton::server {

/// What the engine is told; reads the key. Fails with `validation` when it is not there; the
/// message says what to do.
Result<engines::upstream::UpstreamOptions> upstream_options(const NamedModel& named);

}  // namespace craton::server
