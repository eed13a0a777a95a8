#include "documents/html_tokenizer.h"

#include <algorithm>

#include "documents/html_entities.h"

namespace craton::documents {
namespace {

constexpr std::string_view white_space = " \t\n\r\f";
constexpr std::size_t name_max = 16;  // "blockquote" and "figcaption" are the longest that matter

// Elements that hold no tags. Of the first their text is read.
constexpr std::string_view text_elements[] = {"title", "textarea"};
constexpr std::string_view raw_elements[] = {"script", "style",   "xmp",
                                             "iframe", "noembed", "noframes"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equal_ignoring_case(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, {}, lower);
}

bool is_one_of(std::string_view name, auto& names) {
  return std::ranges::find(names, name) != std::end(names);
}

void append_utf8(char32_t code, std::string& out) {
  const auto byte = [&out](char32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
    return byte(0x80 | (code & 0x3F));
  }
  if (code < 0x10000) {
    byte(0xE0 | code >> 12);
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
  }
  byte(0x80 | (code >> 6 & 0x3F));
  byte(0x80 | (code & 0x3F));
}

// Numbers 0x80 to 0x9F mean what Windows-1252 has there.
// Source: https://html.spec.whatwg.org/#numeric-character-reference-end-state
constexpr char16_t windows_1252[] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

char32_t meant_by(char32_t number) {
  if (number >= 0x80 && number <= 0x9F) return windows_1252[number - 0x80];
  const bool surrogate = number >= 0xD800 && number <= 0xDFFF;
  return number == 0 || surrogate || number > 0x10FFFF ? 0xFFFD : number;
}

int digit_value(char c, int base) {
  if (is_digit(c)) return c - '0';
  const char letter = lower(c);
  return base == 16 && letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// Appends the character of the reference that `text` begins with, after "&#". Returns its bytes; 0
/// when there is none.
std::size_t append_numeric(std::string_view text, std::string& out) {
  const bool hexadecimal = !text.empty() && lower(text[0]) == 'x';
  const int base = hexadecimal ? 16 : 10;
  const std::size_t begin = hexadecimal ? 1 : 0;
  std::size_t at = begin;
  char32_t number = 0;
  for (int digit; at < text.size() && (digit = digit_value(text[at], base)) >= 0; ++at) {
    number = std::min<char32_t>(number * static_cast<char32_t>(base) + static_cast<char32_t>(digit),
                                0x110000);
  }
  if (at == begin) return 0;
  append_utf8(meant_by(number), out);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

/// The same for one after "&": the longest name that is one.
std::size_t append_named(std::string_view text, std::string& out) {
  std::size_t size = 0;
  while (size < std::min(text.size(), html_entity_name_max) &&
         (is_letter(text[size]) || is_digit(text[size]))) {
    ++size;
  }
  if (size < text.size() && text[size] == ';') ++size;
  for (; size > 1; --size) {
    const std::string_view name = text.substr(0, size);
    const auto found = std::ranges::lower_bound(html_entities, name, {}, &HtmlEntity::name);
    if (found == html_entities.end() || found->name != name) continue;
    out += found->text;
    return size;
  }
  return 0;
}

}  // namespace

void append_decoded(std::string_view text, std::string& out) {
  for (std::size_t ampersand; (ampersand = text.find('&')) != text.npos;) {
    out += text.substr(0, ampersand);
    text.remove_prefix(ampersand + 1);
    const bool numeric = text.starts_with('#');
    const std::size_t size =
        numeric ? append_numeric(text.substr(1), out) : append_named(text, out);
    if (size == 0) {
      out += '&';
      continue;
    }
    text.remove_prefix(size + (numeric ? 1 : 0));
  }
  out += text;
}

std::optional<HtmlToken> HtmlTokenizer::next() {
  if (!raw_.empty()) {
    const std::string name = std::move(raw_);
    raw_.clear();
    const HtmlToken inside = text(std::min(find_end_tag(name), rest_.size()));
    if (is_one_of(name, text_elements) && !inside.text.empty()) return inside;
  }
  while (!rest_.empty()) {
    if (rest_[0] == '<') {
      if (const auto token = markup()) return token;
    }
    // A "<" that begins nothing is text.
    const std::size_t size =
        std::min(rest_.find('<', rest_.starts_with('<') ? 1 : 0), rest_.size());
    if (size > 0) return text(size);
  }
  return std::nullopt;
}

/// The tag that begins here, comments before it passed; nullopt when none begins.
std::optional<HtmlToken> HtmlTokenizer::markup() {
  while (rest_.starts_with('<')) {
    const char after = rest_.size() > 1 ? rest_[1] : ' ';
    const char later = rest_.size() > 2 ? rest_[2] : ' ';
    if (is_letter(after)) return tag(HtmlToken::Kind::start_tag);
    if (after == '/' && is_letter(later)) return tag(HtmlToken::Kind::end_tag);
    if (after != '/' && after != '!' && after != '?') return std::nullopt;
    if (after == '/' && later == ' ') return std::nullopt;
    pass_comment();
  }
  return std::nullopt;
}

HtmlToken HtmlTokenizer::tag(HtmlToken::Kind kind) {
  rest_.remove_prefix(kind == HtmlToken::Kind::start_tag ? 1 : 2);
  const std::size_t size = std::min(rest_.find_first_of(" \t\n\r\f/>"), rest_.size());
  name_.assign(size <= name_max ? rest_.substr(0, size) : std::string_view());
  std::ranges::transform(name_, name_.begin(), lower);
  rest_.remove_prefix(size);
  pass_attributes();
  const bool holds_text = is_one_of(name_, text_elements) || is_one_of(name_, raw_elements);
  if (kind == HtmlToken::Kind::start_tag && holds_text) raw_ = name_;
  return {kind, {}, name_};
}

HtmlToken HtmlTokenizer::text(std::size_t size) {
  const HtmlToken token{HtmlToken::Kind::text, rest_.substr(0, size), {}};
  rest_.remove_prefix(size);
  return token;
}

/// To after the ">" of a tag: the first that is in no quoted value.
void HtmlTokenizer::pass_attributes() {
  while (!rest_.empty() && rest_[0] != '>') {
    const bool value = rest_[0] == '=';
    rest_.remove_prefix(1);
    if (!value) continue;
    rest_.remove_prefix(std::min(rest_.find_first_not_of(white_space), rest_.size()));
    const char quote = rest_.empty() ? ' ' : rest_[0];
    if (quote != '"' && quote != '\'') continue;
    rest_.remove_prefix(1);
    pass_until(std::string_view(&quote, 1));
  }
  if (!rest_.empty()) rest_.remove_prefix(1);
}

void HtmlTokenizer::pass_comment() {
  if (!rest_.starts_with("<!--")) return pass_until(">");
  rest_.remove_prefix(4);
  if (rest_.starts_with('>')) return rest_.remove_prefix(1);
  if (rest_.starts_with("->")) return rest_.remove_prefix(2);
  pass_until("-->");
}

void HtmlTokenizer::pass_until(std::string_view end) {
  const std::size_t at = rest_.find(end);
  rest_.remove_prefix(at == rest_.npos ? rest_.size() : at + end.size());
}

std::size_t HtmlTokenizer::find_end_tag(std::string_view name) const {
  for (std::size_t at = 0; (at = rest_.find("</", at)) != rest_.npos; ++at) {
    const std::string_view after = rest_.substr(at + 2);
    if (!equal_ignoring_case(after.substr(0, name.size()), name)) continue;
    const std::string_view end = after.substr(name.size());
    if (end.empty() || end.find_first_of(" \t\n\r\f/>") == 0) return at;
  }
  return rest_.npos;
}

bool HtmlTokenizer::skip_past_end(std::string_view name) {
  const std::size_t at = find_end_tag(name);
  if (at == rest_.npos) return false;
  rest_.remove_prefix(at);
  pass_until(">");
  return true;
}

}  // namespace craton::documents
