// What the connections of one I/O thread share.
#pragma once

#include <array>

#include "http/response_head.h"
#include "http/server.h"
#include "http/traffic.h"

namespace craton::http {

struct Surroundings {
  const ServerOptions& options;
  const Handler& handler;
  const RefusalWriter& refuse;
  bool draining = false;
  TrafficCounter traffic = {};
  DateField date = {};
  std::array<char, 64 * 1024> scratch = {};  ///< For one read; never in use across a suspension.
};

}  // namespace craton::http
