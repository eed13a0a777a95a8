#include "client/errors.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/json.h"

namespace craton::client {
namespace {

std::string text_of(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const json::value* found = object.if_contains(name);
    if (found && found->is_string()) return std::string(found->get_string());
  }
  return {};
}

/// "com.amazon.coral.service#InvalidSignatureException:http://…" is one of these names alone.
std::string bare_type(std::string_view type) {
  type = type.substr(0, type.find(':'));
  const std::size_t space = type.rfind('#');
  return std::string(space == type.npos ? type : type.substr(space + 1));
}

json::object object_of(std::string_view text) {
  Result<json::value> value = json::parse(text);
  return value && value->is_object() ? std::move(value->get_object()) : json::object{};
}

std::optional<long> number_in(const http::Headers& headers, std::string_view name) {
  const std::string_view text = headers.find(name).value_or("");
  long number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = !text.empty() && end.ptr == text.data() + text.size();
  return whole && number >= 0 && number < 1'000'000'000 ? std::optional(number) : std::nullopt;
}

std::optional<std::chrono::milliseconds> retry_after(const http::Headers& headers) {
  if (const auto milliseconds = number_in(headers, "x-amz-retry-after")) {
    return std::chrono::milliseconds(*milliseconds);
  }
  if (const auto seconds = number_in(headers, "retry-after")) return std::chrono::seconds(*seconds);
  return std::nullopt;
}

}  // namespace

CallError refused(CallError::Kind kind, const Error& error) {
  return {.kind = kind, .message = error.message};
}

CallError service_error(const http::ClientHead& head, std::string_view body) {
  const json::object object = object_of(body);
  const auto header = head.headers.find("x-amzn-errortype");
  CallError error{.kind = CallError::Kind::service};
  error.type = bare_type(header ? *header : text_of(object, {"__type", "code"}));
  error.message = text_of(object, {"message", "Message", "errorMessage"});
  error.status = head.status;
  error.request_id = request_id_of(head);
  error.retry_after = retry_after(head.headers);
  if (error.message.empty()) {
    error.message = "the service answered with status " + std::to_string(head.status);
  }
  return error;
}

CallError stream_error(std::string_view exception_type, std::string_view payload) {
  CallError error{.kind = CallError::Kind::service, .type = std::string(exception_type)};
  if (!error.type.empty()) {
    error.type[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(error.type[0])));
  }
  error.message = text_of(object_of(payload), {"message", "Message"});
  if (error.message.empty()) error.message = "the service ended its answer";
  return error;
}

CallError transfer_error(const http::TransferEnd& end) {
  using Kind = CallError::Kind;
  switch (end.fault) {
    case http::TransferFault::cancelled: return {.kind = Kind::cancelled, .message = end.reason};
    case http::TransferFault::timed_out:
      return {.kind = Kind::time_out,
              .message = "the service did not answer in time: " + end.reason};
    case http::TransferFault::unreachable:
      return {.kind = Kind::connection, .message = "the service cannot be reached: " + end.reason};
    default: return {.kind = Kind::connection, .message = "the connection broke: " + end.reason};
  }
}

std::string request_id_of(const http::ClientHead& head) {
  return std::string(head.headers.find("x-amzn-requestid").value_or(""));
}

}  // namespace craton::client
