#include "service/errors.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ids.h"
#include "base/json.h"

namespace craton::service {
namespace {

constexpr std::string_view type_header = "x-amzn-ErrorType";
/// How an error looks on the wire, by who answers with it.
struct Form {
  std::string_view type_suffix;
  std::string_view message_key;
};

constexpr Form form_of(ErrorSource source) {
  constexpr std::string_view bedrock = ":http://internal.amazon.com/coral/com.amazon.bedrock/";
  switch (source) {
    case ErrorSource::operation: return {bedrock, "message"};
    case ErrorSource::signing:
      return {":http://internal.amazon.com/coral/com.amazon.coral.service/", "message"};
    case ErrorSource::access: return {bedrock, "Message"};
  }
  return {};
}

http::Response with_message(const ErrorShape& shape, std::string_view message) {
  const Form form = form_of(shape.source);
  http::Response response;
  response.status = shape.status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add(std::string(type_header),
                       std::string(shape.name) + std::string(form.type_suffix));
  response.body = "{\"" + std::string(form.message_key) + "\":" + json::quote(message) + "}";
  return response;
}

struct Refusal {
  int status;
  std::string_view type;
};

// What AWS's front ends call requests that never reach an operation. Unverified on Bedrock itself;
// the names are those of AWS's other JSON services.
constexpr std::array refusals{
    Refusal{400, "ValidationException"},
    Refusal{408, "RequestTimeoutException"},
    Refusal{413, "RequestEntityTooLargeException"},
    Refusal{414, "ValidationException"},
    Refusal{431, "ValidationException"},
    Refusal{500, "InternalServerException"},
    Refusal{501, "ValidationException"},
    Refusal{505, "ValidationException"},
};

}  // namespace

http::Response error_response(const Error& error) {
  return with_message(shape_of(error.code), error.message);
}

http::Response refusal_response(int status, std::string_view reason) {
  const auto row = std::find_if(refusals.begin(), refusals.end(),
                                [&](const Refusal& refusal) { return refusal.status == status; });
  ErrorShape shape = shape_of(ErrorCode::validation);
  shape.status = status;
  if (row != refusals.end()) shape.name = row->type;
  http::Response response = with_message(shape, reason);
  response.headers.add("x-amzn-RequestId", random_uuid());
  return response;
}

std::string_view error_type_of(const http::Response& response) {
  const auto header = response.headers.find(type_header);
  return header ? header->substr(0, header->find(':')) : std::string_view();
}

}  // namespace craton::service
