// What goes wrong after a stream has begun: exception events.
#pragma once

#include <string>

#include "base/error.h"

namespace craton::service {

enum class StreamOperation { invoke_model, converse };

/// Appends `error` as the exception event that `operation`'s output declares for it. Clients know
/// no others, so an error without one of its own goes as the nearest that there is.
void append_stream_error(const Error& error, StreamOperation operation, std::string& out);

}  // namespace craton::service
