#include "service/errors.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ids.h"
#include "base/json.h"

namespace craton::service {
namespace {

constexpr std::string_view type_header = "x-amzn-ErrorType";
constexpr std::string_view type_suffix = ":http://internal.amazon.com/coral/com.amazon.bedrock/";

http::Response with_message(int status, std::string_view type, std::string_view message) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add(std::string(type_header), std::string(type) + std::string(type_suffix));
  response.body = "{\"message\":" + json::quote(message) + "}";
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
  const ErrorShape& shape = shape_of(error.code);
  return with_message(shape.status, shape.name, error.message);
}

http::Response refusal_response(int status, std::string_view reason) {
  const auto row = std::find_if(refusals.begin(), refusals.end(),
                                [&](const Refusal& refusal) { return refusal.status == status; });
  http::Response response =
      with_message(status, row == refusals.end() ? "ValidationException" : row->type, reason);
  response.headers.add("x-amzn-RequestId", random_uuid());
  return response;
}

std::string_view error_type_of(const http::Response& response) {
  const auto header = response.headers.find(type_header);
  return header ? header->substr(0, header->find(':')) : std::string_view();
}

}  // namespace craton::service
