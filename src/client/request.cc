#include "client/request.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "api/shapes.h"
#include "base/ids.h"
#include "base/nearest.h"
#include "sigv4/percent.h"

namespace craton::client {
namespace {

using api::Location;
using api::Member;

constexpr std::string_view idempotency_token = "clientRequestToken";

/// A value outside of JSON: in a path, a query or a header.
std::string plain_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::to_text(value);
}

std::string encoded(std::string_view text) {
  std::string out;
  sigv4::append_percent_encoded(text, out);
  return out;
}

void append_parameter(const Member& member, const json::value& value, std::string& query) {
  const auto add = [&](const json::value& one) {
    query +=
        (query.empty() ? "" : "&") + encoded(member.wire_name) + '=' + encoded(plain_text(one));
  };
  if (const json::array* items = value.if_array()) {
    for (const json::value& item : *items) add(item);
  } else {
    add(value);
  }
}

Error unknown_member(const api::Operation& operation, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Member& member : operation.input->members) names.push_back(member.name);
  const std::string_view near = nearest(name, names);
  return {ErrorCode::validation,
          std::string(operation.name) + " has no member '" + std::string(name) + "'" +
              (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?")};
}

Result<void> check_names(const api::Operation& operation, const json::object& input) {
  for (const auto& entry : input) {
    if (std::ranges::find(operation.input->members, std::string_view(entry.key()), &Member::name) ==
        operation.input->members.end()) {
      return unknown_member(operation, entry.key());
    }
  }
  return {};
}

/// The URI template with its labels filled in.
Result<std::string> path_of(const api::Operation& operation, const json::object& input) {
  std::string path;
  std::string_view rest = operation.uri;
  while (!rest.empty()) {
    const std::size_t open = rest.find('{');
    path += rest.substr(0, open);
    if (open == rest.npos) break;
    const std::size_t close = rest.find('}', open);
    const std::string_view label = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    const auto& members = operation.input->members;
    const auto member = std::ranges::find_if(members, [&](const Member& one) {
      return one.location == Location::uri && one.wire_name == label;
    });
    const json::value* value = member == members.end() ? nullptr : input.if_contains(member->name);
    const std::string text = value ? plain_text(*value) : std::string();
    if (text.empty()) {
      return Error{ErrorCode::validation,
                   std::string(operation.name) + " needs '" + std::string(label) + "'"};
    }
    path += encoded(text);
  }
  return path;
}

}  // namespace

Result<WireRequest> write_request(const api::Operation& operation, const json::object& input) {
  CRATON_TRY(check_names(operation, input));
  WireRequest call{.method = operation.method, .path = {}};
  CRATON_TRY_ASSIGN(call.path, path_of(operation, input));
  json::object body;
  bool has_body = false;
  bool is_payload = false;
  for (const Member& member : operation.input->members) {
    has_body |= member.location == Location::body || member.location == Location::payload;
    const json::value* value = input.if_contains(member.name);
    if (value && value->is_null()) value = nullptr;
    if (!value && member.name == idempotency_token) {
      body[member.wire_name] = random_uuid();
      continue;
    }
    if (!value) continue;
    switch (member.location) {
      case Location::uri: break;
      case Location::query: append_parameter(member, *value, call.query); break;
      case Location::header: call.headers.emplace_back(member.wire_name, plain_text(*value)); break;
      case Location::payload:
        call.body = plain_text(*value);
        is_payload = true;
        break;
      case Location::body: body[member.wire_name] = *value; break;
    }
  }
  if (!has_body) return call;
  if (!is_payload) call.body = json::to_text(body);
  const bool told = std::ranges::any_of(
      call.headers, [](const auto& field) { return field.first == "Content-Type"; });
  if (!told) call.headers.emplace_back("Content-Type", "application/json");
  return call;
}

}  // namespace craton::client
