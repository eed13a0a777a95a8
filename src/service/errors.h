// Errors on the wire: Bedrock's status, `x-amzn-ErrorType` header and `{"message":"…"}` body.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace craton::service {

/// The answer that carries `error`. Source of the header's suffix: recorded answers of the service.
http::Response error_response(const Error& error);

/// The answer to a request that broke HTTP itself, for http::Server; `status` is an HTTP status.
http::Response refusal_response(int status, std::string_view reason);

/// The error type that an answer carries, without the header's suffix; empty when it carries none.
std::string_view error_type_of(const http::Response& response);

}  // namespace craton::service
