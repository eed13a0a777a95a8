// TextWriter: puts the text of a document together as lines and cells.
//
// Breaks are remembered and written only between two texts: they neither begin nor end a document,
// never make more than one blank line, and a row ends with its last cell that has text. What would
// exceed the bound is dropped and full() tells.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace craton::documents {

class TextWriter {
 public:
  explicit TextWriter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Text of which all white space is as good as one blank, as in HTML.
  void flowing(std::string_view text);

  /// Text as it stands, blanks included; a newline in it ends a line.
  void exact(std::string_view text);

  void line();        ///< What follows begins a line,
  void blank_line();  ///< or a line after a blank one.
  void tab();         ///< What follows stands a tab further.

  /// Between these, breaks and tabs are blanks: the cell of a table is part of one line.
  void begin_row();
  void begin_cell();
  void end_row();
  bool in_row() const { return in_row_; }

  bool full() const { return full_; }

  /// All of it, without newlines at its end. Call once, last.
  std::string take();

 private:
  void append(std::string_view text);
  void settle();
  void blank() { blank_ = true; }
  void break_lines(std::size_t breaks);

  const std::size_t bytes_max_;
  std::string out_;
  std::size_t breaks_ = 0;  ///< Newlines before the next text,
  std::size_t tabs_ = 0;    ///< then tabs,
  bool blank_ = false;      ///< or a blank.
  bool in_row_ = false;
  bool row_has_cell_ = false;
  bool full_ = false;
};

}  // namespace craton::documents
