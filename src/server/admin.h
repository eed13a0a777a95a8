// /_craton/: what whoever tests with this server may change while it runs.
//
//   GET    /_craton/faults   the faults, and how often each has struck
//   POST   /_craton/faults   adds one, as JSON: {"fault":"stall","at":3,"for":"5s"}
//   DELETE /_craton/faults   takes all away
//   GET    /_craton/bindings       which model ids are bound to what, and how often each answered
//   POST   /_craton/bindings       binds in front of all (new_binding.h)
//   DELETE /_craton/bindings/{id}  takes one away
//   DELETE /_craton/bindings       takes away what was added, and brings back what was taken away
//   GET    /_craton/quotas   the quotas of models, and what is left of each (quota_admin.h)
//   PUT    /_craton/quotas   others in their place, all full
//   DELETE /_craton/quotas   takes all away
//   POST   /_craton/reset    as at the start: bindings, faults, quotas, counts of rules and of
//   faults,
//                            no requests
//   GET    /_craton/requests       the latest requests, the newest first; ?operation=…&status=…
//   GET    /_craton/requests/{id}  all of one: fields, body, events with their times
//   DELETE /_craton/requests       forgets them
//
// Closed to all but loopback, and to web pages of other origins.
#pragma once

#include <optional>

#include "auth/quota_table.h"
#include "http/message.h"
#include "server/served_models.h"
#include "service/journal.h"

namespace craton::server {

/// What is looked at and changed.
struct Administered {
  ServedModels& models;
  service::Journal& journal;
  auth::QuotaTable& quotas;
};

/// The answer when `request` asks for something below /_craton/; nullopt when it does not.
std::optional<http::Response> answer_admin(const http::Request& request,
                                           const Administered& administered);

}  // namespace craton::server
