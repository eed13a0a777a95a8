// /health and /ready, for whoever watches the process.
#pragma once

#include <memory>
#include <vector>

#include "engines/engine.h"
#include "http/message.h"

namespace craton::server {

using Engines = std::vector<std::shared_ptr<const engines::Engine>>;

/// Whether it is for /health or /ready.
bool is_probe(const http::Request& request);

/// The answer to such a one. `kept`: the engines of the models that are to be loaded; the server is
/// ready when all are.
http::Response answer_probe(const http::Request& request, const Engines& kept);

}  // namespace craton::server
