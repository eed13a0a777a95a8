#include "families/reply_text.h"

#include <boost/json/value.hpp>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"

namespace craton::families {

void append_reply_text(std::string_view text, std::string& out) {
  json::append_quoted(mended_utf8(text), out);
}

void append_tool_input(std::string_view input, std::string& out) {
  const Result<json::value> value = json::parse(input);
  value && value->is_object() ? json::append_text(*value, out) : void(out += "{}");
}

std::string led_text(const NativeRequest& request, const Answer& answer) {
  std::string text = answer.text();
  return std::string(Lead(request.lead).before(text)) + text;
}

std::string_view Lead::before(std::string_view text) {
  if (text.empty()) return {};
  const std::string_view lead = std::exchange(lead_, {});
  return text.front() == ' ' || text.front() == '\n' ? std::string_view() : lead;
}

}  // namespace craton::families
