// /_craton/: what whoever tests with this server may change while it runs.
//
//   GET    /_craton/faults   the faults, and how often each has struck
//   POST   /_craton/faults   adds one, as JSON: {"fault":"stall","at":3,"for":"5s"}
//   DELETE /_craton/faults   takes all away
//   GET    /_craton/bindings       which model ids are bound to what, and how often each answered
//   POST   /_craton/bindings       binds in front of all:
//   {"pattern":"*","model":"script:rules.yaml"} DELETE /_craton/bindings/{id}  takes one away
//   DELETE /_craton/bindings       takes away what was added, and brings back what was taken away
//   POST   /_craton/reset    as at the start: bindings, faults, counts of rules and of faults, no
//                            requests
//   GET    /_craton/requests       the latest requests, the newest first; ?operation=…&status=…
//   GET    /_craton/requests/{id}  all of one: fields, body, events with their times
//   DELETE /_craton/requests       forgets them
//
// Closed to all but loopback, and to web pages of other origins.
#pragma once

#include <optional>

#include "http/message.h"
#include "server/served_models.h"
#include "service/journal.h"

namespace craton::server {

/// What is looked at and changed.
struct Administered {
  ServedModels& models;
  service::Journal& journal;
};

/// The answer when `request` asks for something below /_craton/; nullopt when it does not.
std::optional<http::Response> answer_admin(const http::Request& request,
                                           const Administered& administered);

}  // namespace craton::server
