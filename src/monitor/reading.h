// Reading: what one page of a Craton server's metrics says, in the terms of `craton top`.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/exposition.h"
#include "monitor/distribution.h"

namespace craton::monitor {

/// A model that answers. Tokens and evictions are counted since the server's start.
struct ModelReading {
  std::string engine;
  double ready = 0;
  double queue = 0;
  double running = 0;
  double cells = 0;
  double cells_used = 0;
  double cells_kept = 0;
  double prompt_tokens = 0;
  double hit_tokens = 0;
  double generated_tokens = 0;
  double evictions = 0;
  Distribution steps;
  Distribution first_token;
  Distribution inter_token;
};

/// Requests of one operation, since the server's start.
struct OperationReading {
  double requests = 0;
  double errors = 0;  ///< Of those, with a status that says so. Callers who left are not errors.
  Distribution seconds;
};

struct Reading {
  double time = 0;  ///< When it was taken: seconds on a clock that only goes forward.
  std::string version;
  double started = 0;  ///< The server, in seconds since the epoch.
  double memory = 0;   ///< Bytes.
  double cpu = 0;      ///< Seconds.
  double connections = 0;
  double received = 0;  ///< Bytes.
  double sent = 0;      ///< Bytes.
  double broken_streams = 0;
  std::map<std::string, ModelReading> models;
  std::map<std::string, OperationReading> operations;
};

/// Reads a page. Requests of those who watch the server (/metrics, /health, /ready) are left out.
/// Names in it are made fit for a terminal. Fails with `validation` when it is not one of Craton's.
Result<Reading> read(const metrics::Exposition& page, double time);

/// As it was when the server started, for what has been since.
Reading beginning_of(const Reading& now, WallTime wall);

}  // namespace craton::monitor
