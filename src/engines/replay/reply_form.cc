#include "engines/replay/reply_form.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/one_line.h"
#include "engines/replay/members.h"

namespace craton::engines::replay {
namespace {

constexpr std::string_view json_type = "application/json";

Error wrong(std::string message) {
  return {ErrorCode::validation, "'reply': " + std::move(message)};
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<void> read_headers(const Members& form, NativeReply& reply) {
  const json::value* headers = form.find("headers");
  if (!headers) return {};
  if (!headers->is_object()) return wrong("'headers' must be an object");
  for (const auto& [name, value] : headers->get_object()) {
    const bool fits = is_header_name(name) && value.is_string() && is_one_line(value.get_string());
    if (!fits) return wrong("'headers' must be names and texts of one line");
    reply.headers.emplace_back(name, value.get_string());
  }
  return {};
}

Result<void> read_body(const Members& form, NativeReply& reply) {
  if (const json::value* body = form.find("body")) {
    if (!body->is_object() || form.has("base64")) {
      return wrong("'body' must be an object, and 'base64' absent");
    }
    reply.body = json::to_text(*body);
    return {};
  }
  const Result<std::string> encoded = form.text("base64");
  std::optional<std::string> bytes = encoded ? base64_bytes(*encoded) : std::nullopt;
  if (!bytes) return wrong("it needs a 'body', an object, or 'base64'");
  reply.body = std::move(*bytes);
  return {};
}

Result<void> read_text(const Members& form, std::string_view name, std::string& text) {
  if (!form.has(name)) return {};
  CRATON_TRY_ASSIGN(text, form.text(name));
  if (is_one_line(text)) return {};
  return wrong("'" + std::string(name) + "' must be a text of one line");
}

}  // namespace

std::string reply_text(const TimedReply& timed) {
  const NativeReply& reply = timed.reply;
  json::object form{{"at", timed.at.count()}};
  if (reply.input_tokens) form["inputTokens"] = *reply.input_tokens;
  if (!reply.stand_in.empty()) form["standIn"] = reply.stand_in;
  if (!reply.headers.empty()) {
    json::object& headers = form["headers"].emplace_object();
    for (const auto& [name, value] : reply.headers) headers[name] = value;
  }
  if (reply.content_type != json_type) form["contentType"] = reply.content_type;
  const Result<json::value> body = reply.content_type.starts_with(json_type)
                                       ? json::parse(reply.body)
                                       : Result<json::value>(json::value());
  if (body && body->is_object()) {
    form["body"] = *body;
  } else {
    std::string encoded;
    append_base64(reply.body, encoded);
    form["base64"] = std::move(encoded);
  }
  return json::to_text(form);
}

Result<TimedReply> timed_reply_of(const json::value& value) {
  if (!value.is_object()) return wrong("it must be an object");
  const Members form(value.get_object());
  TimedReply timed;
  CRATON_TRY_ASSIGN(const int at, form.number("at"));
  timed.at = Milliseconds(at);
  if (form.has("inputTokens")) {
    CRATON_TRY_ASSIGN(timed.reply.input_tokens, form.number("inputTokens"));
  }
  CRATON_TRY(read_text(form, "standIn", timed.reply.stand_in));
  CRATON_TRY(read_text(form, "contentType", timed.reply.content_type));
  CRATON_TRY(read_headers(form, timed.reply));
  CRATON_TRY(read_body(form, timed.reply));
  return timed;
}

}  // namespace craton::engines::replay
