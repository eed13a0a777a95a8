// /health and /ready, for whoever watches the process.
#pragma once

#include <optional>
#include <span>

#include "engines/engine.h"
#include "http/message.h"

namespace craton::server {

/// The answer when `request` asks for /health or /ready; nullopt when it asks for anything else.
/// `kept`: the engines of the models that are to be loaded; the server is ready when all are.
std::optional<http::Response> answer_probe(const http::Request& request,
                                           std::span<const engines::Engine* const> kept);

}  // namespace craton::server
