// /metrics: what the server does and has done, for Prometheus and for `craton top`.
// docs/metrics.md says what each metric means.
#pragma once

#include <memory>
#include <vector>

#include "engines/engine.h"
#include "http/message.h"
#include "http/traffic.h"
#include "service/service.h"

namespace craton::server {

/// What is told of.
struct Watched {
  const service::Service& service;
  std::vector<std::shared_ptr<const engines::Engine>> engines;
  http::Traffic traffic;
};

bool asks_for_metrics(const http::Request& request);

/// The page, in the form that `request` accepts.
http::Response metrics_page(const http::Request& request, const Watched& watched);

}  // namespace craton::server
