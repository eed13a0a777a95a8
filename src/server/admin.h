// /_craton/: what whoever tests with this server may change while it runs.
//
//   GET    /_craton/faults   the faults, and how often each has struck
//   POST   /_craton/faults   adds one, as JSON: {"fault":"stall","at":3,"for":"5s"}
//   DELETE /_craton/faults   takes all away
//   POST   /_craton/reset    as at the start: faults, and counts of rules and of faults
//
// Closed to all but loopback, and to web pages of other origins.
#pragma once

#include <optional>

#include "http/message.h"
#include "server/served_models.h"

namespace craton::server {

/// The answer when `request` asks for something below /_craton/; nullopt when it does not.
std::optional<http::Response> answer_admin(const http::Request& request,
                                           const ServedModels& models);

}  // namespace craton::server
