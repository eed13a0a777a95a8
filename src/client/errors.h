// Errors of a client, from what the service or the network did.
//
// No I/O.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "craton/call.h"
#include "http/client.h"

namespace craton::client {

/// What floors below refused, of that kind.
CallError refused(CallError::Kind kind, const Error& error);

/// The error that an answer of the service is: by its header, or its body.
CallError service_error(const http::ClientHead& head, std::string_view body);

/// An exception within a stream: "throttlingException", and its payload.
CallError stream_error(std::string_view exception_type, std::string_view payload);

/// Why there was no whole answer.
CallError transfer_error(const http::TransferEnd& end);

/// The service's name for the request; empty when it gave none.
std::string request_id_of(const http::ClientHead& head);

}  // namespace craton::client
