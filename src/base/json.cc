#include "base/json.h"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <utility>

namespace craton::json {
namespace {

void append_escaped(unsigned char byte, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 0xf];
  }
}

bool needs_escape(unsigned char byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

template <class Integer>
void append_integer(Integer number, std::string& out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

void append_members(const object& members, std::string& out) {
  out += '{';
  bool first = true;
  for (const auto& [key, member] : members) {
    if (!std::exchange(first, false)) out += ',';
    append_quoted(key, out);
    out += ':';
    append_text(member, out);
  }
  out += '}';
}

}  // namespace

Result<value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::parser parser({}, options);
  boost::json::error_code error;
  const std::size_t read = parser.write_some(text, error);
  if (!error && read < text.size()) error = boost::json::error::extra_data;
  if (error) {
    return Error{ErrorCode::serialization,
                 "not valid JSON: " + error.message() + " at byte " + std::to_string(read)};
  }
  return parser.release();
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  std::size_t clean = 0;  // start of the run that needs no escaping
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!needs_escape(byte)) continue;
    out.append(text, clean, i - clean);
    append_escaped(byte, out);
    clean = i + 1;
  }
  out.append(text, clean, text.size() - clean);
  out += '"';
}

std::string quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(text, out);
  return out;
}

void append_number(double number, std::string& out) {
  // A number that JSON can write and a double cannot hold ("1e999") has become infinite.
  if (std::isinf(number)) {
    out += number > 0 ? "1e999" : "-1e999";
    return;
  }
  if (std::isnan(number)) {
    out += "null";
    return;
  }
  char buffer[64];
  const double magnitude = std::fabs(number);
  const bool plain = number == 0 || (magnitude >= 1e-7 && magnitude < 1e21);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (plain && digits.find('.') == std::string_view::npos) out += ".0";
}

std::string number_text(double number) {
  std::string text;
  append_number(number, text);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

void append_text(const value& value, std::string& out) {
  switch (value.kind()) {
    case boost::json::kind::null: out += "null"; return;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case boost::json::kind::int64: append_integer(value.get_int64(), out); return;
    case boost::json::kind::uint64: append_integer(value.get_uint64(), out); return;
    case boost::json::kind::double_: append_number(value.get_double(), out); return;
    case boost::json::kind::string: append_quoted(value.get_string(), out); return;
    case boost::json::kind::object: append_members(value.get_object(), out); return;
    case boost::json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& element : value.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        append_text(element, out);
      }
      out += ']';
    }
  }
}

std::string to_text(const value& value) {
  std::string out;
  append_text(value, out);
  return out;
}

std::string to_text(const object& object) {
  std::string out;
  append_members(object, out);
  return out;
}

}  // namespace craton::json
