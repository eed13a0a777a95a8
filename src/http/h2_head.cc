#include "http/h2_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "http/response_head.h"

namespace craton::http {
namespace {

constexpr std::size_t field_overhead = 32;

constexpr Refusal header_too_large{431, "The request's header is too large."};
constexpr Refusal body_too_large{413, "The request's body is too large."};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string in_lower_case(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  return lowered;
}

bool is_visible(char c) { return c >= '!' && c <= '~'; }

bool ends_field(char c) { return c == '\r' || c == '\n' || c == '\0'; }

// Source: RFC 9113 8.2.2.
constexpr std::array<std::string_view, 5> connection_fields{
    "connection", "transfer-encoding", "keep-alive", "proxy-connection", "upgrade"};

bool is_of_the_connection(std::string_view name) {
  return std::find(connection_fields.begin(), connection_fields.end(), name) !=
         connection_fields.end();
}

}  // namespace

void H2RequestHead::add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + field_overhead;
  too_large_ = too_large_ || bytes_ > limits_.header_bytes_max ||
               request_.headers.size() >= header_fields_max;
  if (too_large_) return;
  if (name == ":method") request_.method = value;
  if (name == ":path") request_.target = value;
  if (name == ":authority") authority_ = value;
  if (name == "host") host_ = value;
  if (name == "expect") wants_continue_ = in_lower_case(value) == "100-continue";
  if (name == "content-length") {
    std::uint64_t length = 0;  // what does not fit is too large, whatever it is
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    content_length_ = error == std::errc() ? length : UINT64_MAX;
  }
  const bool kept = !name.starts_with(':') || name == ":authority";
  if (kept) request_.headers.add(std::string(name), std::string(value));
}

std::optional<Refusal> H2RequestHead::finish() {
  if (too_large_) return header_too_large;
  if (const auto refusal = check_target()) return refusal;
  if (const auto refusal = check_host()) return refusal;
  if (content_length_ && *content_length_ > limits_.body_bytes_max) return body_too_large;
  return std::nullopt;
}

std::optional<Refusal> H2RequestHead::check_target() const {
  const std::string& target = request_.target;
  if (target.size() > request_line_bytes_max)
    return Refusal{414, "The request's path is too long."};
  const bool is_path = target.starts_with('/') || (target == "*" && request_.method == "OPTIONS");
  if (!is_path) return Refusal{400, "The request's target is no path."};
  if (!std::all_of(target.begin(), target.end(), is_visible)) {
    return Refusal{400, "The request's target is malformed."};
  }
  return std::nullopt;
}

std::optional<Refusal> H2RequestHead::check_host() {
  if (authority_.empty() && !host_) return Refusal{400, "The Host field is missing."};
  if (!host_) {
    request_.headers.add("host", authority_);
  } else if (!authority_.empty() && in_lower_case(*host_) != in_lower_case(authority_)) {
    return Refusal{400, "The host field and :authority name different hosts."};
  }
  return std::nullopt;
}

std::vector<Header> h2_fields(const Response& response, std::string_view date) {
  std::vector<Header> fields;
  fields.reserve(response.headers.size() + 3);
  fields.push_back({":status", std::to_string(response.status)});
  fields.push_back({"date", std::string(date)});
  for (const Header& header : response.headers) {
    std::string name = in_lower_case(header.name);
    if (is_of_the_connection(name)) continue;
    std::string value = header.value;
    std::replace_if(value.begin(), value.end(), ends_field, ' ');
    fields.push_back({std::move(name), std::move(value)});
  }
  if (!response.stream && has_body(response.status)) {
    fields.push_back({"content-length", std::to_string(response.body_view().size())});
  }
  return fields;
}

}  // namespace craton::http
