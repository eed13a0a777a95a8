// /health and /ready, for whoever watches the process.
#pragma once

#include <optional>

#include "engines/engine.h"
#include "http/message.h"

namespace craton::server {

/// The answer when `request` asks for /health or /ready; nullopt when it asks for anything else.
/// `engine`: the default model's; null when the server has none, and is then ready at once.
std::optional<http::Response> answer_probe(const http::Request& request,
                                           const engines::Engine* engine);

}  // namespace craton::server
