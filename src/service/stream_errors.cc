#include "service/stream_errors.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/json.h"
#include "event_stream/bedrock_events.h"

namespace craton::service {
namespace {

struct StreamException {
  ErrorCode code;
  std::string_view invoke_model;  ///< `:exception-type`
  std::string_view converse;      ///< The same; ConverseStream declares no modelTimeoutException.
};

// Source: the members of ResponseStream and ConverseStreamOutput in the service model.
constexpr std::array exceptions{
    StreamException{ErrorCode::internal_server, "internalServerException",
                    "internalServerException"},
    StreamException{ErrorCode::model_stream_error, "modelStreamErrorException",
                    "modelStreamErrorException"},
    StreamException{ErrorCode::model_error, "modelStreamErrorException",
                    "modelStreamErrorException"},
    StreamException{ErrorCode::model_timeout, "modelTimeoutException", "modelStreamErrorException"},
    StreamException{ErrorCode::service_unavailable, "serviceUnavailableException",
                    "serviceUnavailableException"},
    StreamException{ErrorCode::throttling, "throttlingException", "throttlingException"},
    StreamException{ErrorCode::model_not_ready, "throttlingException", "throttlingException"},
    StreamException{ErrorCode::validation, "validationException", "validationException"},
};

}  // namespace

void append_stream_error(const Error& error, StreamOperation operation, std::string& out) {
  const auto row = std::ranges::find(exceptions, error.code, &StreamException::code);
  const StreamException& exception = row == exceptions.end() ? exceptions.front() : *row;
  const std::string_view type =
      operation == StreamOperation::converse ? exception.converse : exception.invoke_model;
  const std::string payload = "{\"message\":" + json::quote(error.message) + "}";
  const auto framed = event_stream::append_exception(type, payload, out);
  assert(framed && "messages of errors are far below a frame's limit");
  (void)framed;
}

}  // namespace craton::service
