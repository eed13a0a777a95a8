#include "families/reply_text.h"

#include "base/json.h"
#include "base/utf8.h"

namespace craton::families {

void append_reply_text(std::string_view text, std::string& out) {
  json::append_quoted(mended_utf8(text), out);
}

std::string led_text(const ReplyContext& context) {
  std::string text = context.answer().text();
  if (text.empty() || text.front() == ' ' || text.front() == '\n') return text;
  return context.request.lead + text;
}

}  // namespace craton::families
