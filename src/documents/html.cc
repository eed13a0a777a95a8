#include "documents/html.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "documents/charset.h"
#include "documents/html_tokenizer.h"
#include "documents/problems.h"
#include "documents/text_writer.h"

namespace craton::documents {
namespace {

enum class Effect {
  line,       ///< Begins and ends a line.
  paragraph,  ///< The same, with a blank line around it.
  line_break,
  table,
  row,
  cell,
  bullets,
  numbers,
  item,
  preformatted,
  dropped,  ///< Not for readers, or for those without scripts.
};

struct Element {
  std::string_view name;
  Effect effect;
};

// What is not here flows on in its line.
constexpr Element elements[] = {
    {"address", Effect::line},
    {"article", Effect::paragraph},
    {"aside", Effect::paragraph},
    {"audio", Effect::dropped},
    {"blockquote", Effect::paragraph},
    {"body", Effect::line},
    {"br", Effect::line_break},
    {"button", Effect::line},
    {"canvas", Effect::dropped},
    {"caption", Effect::line},
    {"center", Effect::line},
    {"datalist", Effect::dropped},
    {"dd", Effect::line},
    {"details", Effect::paragraph},
    {"dir", Effect::bullets},
    {"div", Effect::line},
    {"dl", Effect::paragraph},
    {"dt", Effect::line},
    {"fieldset", Effect::paragraph},
    {"figcaption", Effect::line},
    {"figure", Effect::paragraph},
    {"footer", Effect::paragraph},
    {"form", Effect::line},
    {"h1", Effect::paragraph},
    {"h2", Effect::paragraph},
    {"h3", Effect::paragraph},
    {"h4", Effect::paragraph},
    {"h5", Effect::paragraph},
    {"h6", Effect::paragraph},
    {"head", Effect::paragraph},
    {"header", Effect::paragraph},
    {"hgroup", Effect::line},
    {"hr", Effect::paragraph},
    {"legend", Effect::line},
    {"li", Effect::item},
    {"listing", Effect::preformatted},
    {"main", Effect::paragraph},
    {"menu", Effect::bullets},
    {"nav", Effect::paragraph},
    {"noscript", Effect::dropped},
    {"object", Effect::dropped},
    {"ol", Effect::numbers},
    {"option", Effect::line},
    {"p", Effect::paragraph},
    {"pre", Effect::preformatted},
    {"search", Effect::line},
    {"section", Effect::paragraph},
    {"select", Effect::line},
    {"summary", Effect::line},
    {"svg", Effect::dropped},
    {"table", Effect::table},
    {"td", Effect::cell},
    {"template", Effect::dropped},
    {"textarea", Effect::line},
    {"th", Effect::cell},
    {"title", Effect::paragraph},
    {"tr", Effect::row},
    {"ul", Effect::bullets},
    {"video", Effect::dropped},
};
static_assert(std::ranges::is_sorted(elements, {}, &Element::name), "sorted, for the search below");

const Element* element_of(std::string_view name) {
  const auto found = std::ranges::lower_bound(elements, name, {}, &Element::name);
  return found != std::end(elements) && found->name == name ? &*found : nullptr;
}

/// Turns tokens into lines.
class Renderer {
 public:
  Renderer(HtmlTokenizer& tokenizer, const DocumentLimits& limits)
      : tokenizer_(tokenizer), limits_(limits), writer_(limits.text_bytes_max) {}

  Result<std::string> render();

 private:
  void text(std::string_view raw);
  void start(const Element& element);
  void end(const Element& element);
  void line_break();
  void begin_item();
  void drop(std::string_view name);

  static constexpr int bulleted = -1;

  HtmlTokenizer& tokenizer_;
  const DocumentLimits& limits_;
  TextWriter writer_;
  std::vector<int> lists_;  ///< The items so far of each list that is open; or `bulleted`.
  int tables_ = 0;          ///< That are open.
  int preformatted_ = 0;
  std::string marker_;                     ///< Of a list's item, before its first text.
  bool after_break_ = false;               ///< Nothing was written since the last <br>.
  std::vector<std::string_view> endless_;  ///< Dropped elements that have no more ends.
  std::string decoded_;
};

Result<std::string> Renderer::render() {
  while (const auto token = tokenizer_.next()) {
    if (writer_.full()) return too_much_text("html", limits_);
    if (static_cast<int>(lists_.size()) > limits_.depth_max || tables_ > limits_.depth_max)
      return too_deep("html", limits_);
    if (token->kind == HtmlToken::Kind::text) {
      text(token->text);
    } else if (const Element* element = element_of(token->name)) {
      token->kind == HtmlToken::Kind::start_tag ? start(*element) : end(*element);
    }
  }
  if (writer_.full()) return too_much_text("html", limits_);
  return writer_.take();
}

void Renderer::text(std::string_view raw) {
  decoded_.clear();
  append_decoded(raw, decoded_);
  const bool blank = decoded_.find_first_not_of(" \t\n\r\f") == decoded_.npos;
  if (!blank && !marker_.empty()) {
    writer_.exact(marker_);
    writer_.flowing(" ");
    marker_.clear();
  }
  if (!blank) after_break_ = false;
  preformatted_ > 0 ? writer_.exact(decoded_) : writer_.flowing(decoded_);
}

void Renderer::start(const Element& element) {
  switch (element.effect) {
    case Effect::line: return writer_.line();
    case Effect::paragraph: return writer_.blank_line();
    case Effect::line_break: return line_break();
    case Effect::table:
      ++tables_;
      writer_.end_row();  // one in a cell is laid out, not tabulated, and gets lines of its own
      return writer_.blank_line();
    case Effect::row:
      if (tables_ > 0) writer_.begin_row();
      return;
    case Effect::cell:
      if (tables_ > 0) writer_.begin_cell();
      return;
    case Effect::bullets:
    case Effect::numbers:
      lists_.empty() ? writer_.blank_line() : writer_.line();
      lists_.push_back(element.effect == Effect::bullets ? bulleted : 0);
      return;
    case Effect::item: return begin_item();
    case Effect::preformatted: ++preformatted_; return writer_.blank_line();
    case Effect::dropped: return drop(element.name);
  }
}

void Renderer::end(const Element& element) {
  switch (element.effect) {
    case Effect::line:
    case Effect::item: return writer_.line();
    case Effect::paragraph: return writer_.blank_line();
    case Effect::line_break: return line_break();  // browsers take </br> for <br>
    case Effect::table:
      if (tables_ > 0) --tables_;
      writer_.end_row();
      return writer_.blank_line();
    case Effect::row:
      if (tables_ > 0) writer_.end_row();
      return;
    case Effect::bullets:
    case Effect::numbers:
      marker_.clear();
      if (!lists_.empty()) lists_.pop_back();
      return lists_.empty() ? writer_.blank_line() : writer_.line();
    case Effect::preformatted:
      if (preformatted_ > 0) --preformatted_;
      return writer_.blank_line();
    case Effect::cell:
    case Effect::dropped: return;
  }
}

/// Two in a row are how paragraphs were made before there were style sheets.
void Renderer::line_break() {
  if (preformatted_ > 0) return writer_.exact("\n");
  after_break_ ? writer_.blank_line() : writer_.line();
  after_break_ = true;
}

void Renderer::begin_item() {
  writer_.line();
  const std::size_t depth = lists_.empty() ? 0 : lists_.size() - 1;
  marker_.assign(2 * depth, ' ');
  if (lists_.empty() || lists_.back() == bulleted) {
    marker_ += '-';
  } else {
    marker_ += std::to_string(++lists_.back()) + '.';
  }
}

/// Passes over an element that is not for readers, when it ends anywhere.
void Renderer::drop(std::string_view name) {
  if (std::ranges::find(endless_, name) != endless_.end()) return;
  if (!tokenizer_.skip_past_end(name)) endless_.push_back(name);
}

/// The encoding that a page names in its first bytes, where browsers look for it; empty if none.
std::string_view named_charset(std::string_view bytes) {
  constexpr std::size_t looked_at = 1024;
  constexpr std::string_view key = "charset=";
  const std::string_view head = bytes.substr(0, looked_at);
  const auto found = std::ranges::search(
      head, key, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  if (found.empty()) return {};
  std::string_view label(found.end(), head.end());
  if (label.starts_with('"') || label.starts_with('\'')) label.remove_prefix(1);
  return label.substr(0, label.find_first_of("\"'/> ;\t\r\n"));
}

/// Pages whose bytes are UTF-8 are, whatever they say: people save them so and forget the tag.
std::string page_text(std::string_view bytes) {
  if (!has_byte_order_mark(bytes) && mended_utf8(bytes) == bytes) return std::string(bytes);
  return decoded(bytes, named_charset(bytes));
}

}  // namespace

Result<std::string> html_text(std::string_view bytes, const DocumentLimits& limits) {
  const std::string page = page_text(bytes);
  HtmlTokenizer tokenizer(page);
  return Renderer(tokenizer, limits).render();
}

}  // namespace craton::documents
