// HtmlTokenizer: cuts HTML into tags and text, as browsers do it.
//
// Attributes are passed over and no tree is built: for text neither is needed, and time and memory
// follow the size of the input, whatever is in it. (libxml2's parser compares each attribute of a
// tag with all before it, and Gumbo's tree is freed by recursion: both let a small input stop a
// server.)
// Source: https://html.spec.whatwg.org/#tokenization
//
// No I/O, no globals.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace craton::documents {

struct HtmlToken {
  enum class Kind { text, start_tag, end_tag };

  Kind kind;
  std::string_view text;  ///< Of text, with its references undecoded.
  std::string_view name;  ///< Of a tag, in lower case; empty when it is longer than any element's.
};

class HtmlTokenizer {
 public:
  /// `html`: UTF-8, outlives the tokenizer.
  explicit HtmlTokenizer(std::string_view html) : rest_(html) {}

  /// The next token, whose views hold until the call after; nullopt at the end. What stands in
  /// scripts, styles and comments is no text.
  std::optional<HtmlToken> next();

  /// Goes on after the next end tag `name`. False, and stays here, when there is none: then there
  /// is none later either, and asking again would only cost time.
  bool skip_past_end(std::string_view name);

 private:
  std::optional<HtmlToken> markup();
  HtmlToken tag(HtmlToken::Kind kind);
  HtmlToken text(std::size_t size);
  void pass_attributes();
  void pass_comment();
  void pass_until(std::string_view end);
  std::size_t find_end_tag(std::string_view name) const;

  std::string_view rest_;
  std::string name_;
  std::string
      raw_;  ///< The element, such as script, of which everything up to its end is one text.
};

/// Appends `text` to `out` with its character references (`&amp;`, `&#8364;`) replaced.
void append_decoded(std::string_view text, std::string& out);

}  // namespace craton::documents
