#include "families/reply_text.h"

#include <cstddef>

#include "base/json.h"

namespace craton::families {
namespace {

struct Utf8Row {
  unsigned char lead_min, lead_max;  ///< First byte
  unsigned char next_min, next_max;  ///< Second byte; the others are 80 to BF.
  std::size_t size;
};

// Source: the Unicode standard, table 3-7, well-formed UTF-8 byte sequences.
constexpr Utf8Row utf8_rows[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

bool fits(const Utf8Row& row, std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (byte(0) < row.lead_min || byte(0) > row.lead_max || text.size() - at < row.size) return false;
  if (byte(1) < row.next_min || byte(1) > row.next_max) return false;
  for (std::size_t i = 2; i < row.size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return false;
  }
  return true;
}

/// Bytes of the character at `at`; 0 when there is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) < 0x80) return 1;
  for (const Utf8Row& row : utf8_rows) {
    if (fits(row, text, at)) return row.size;
  }
  return 0;
}

/// Where the first byte stands that is no UTF-8; the size of `text` when all of it is.
std::size_t utf8_size(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = character_size(text, at);
    if (size == 0) break;
    at += size;
  }
  return at;
}

}  // namespace

void append_reply_text(std::string_view text, std::string& out) {
  std::size_t whole = utf8_size(text);
  if (whole == text.size()) return json::append_quoted(text, out);
  std::string mended;
  while (whole < text.size()) {
    mended += text.substr(0, whole);
    mended += "\xEF\xBF\xBD";
    text.remove_prefix(whole + 1);
    whole = utf8_size(text);
  }
  mended += text;
  json::append_quoted(mended, out);
}

std::string led_text(const ReplyContext& context) {
  const std::string& text = context.answer.text;
  if (text.empty() || text.front() == ' ' || text.front() == '\n') return text;
  return context.request.lead + text;
}

}  // namespace craton::families
