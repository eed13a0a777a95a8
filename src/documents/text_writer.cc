#include "documents/text_writer.h"

#include <algorithm>

namespace craton::documents {
namespace {

constexpr std::string_view white_space = " \t\n\r\f\v";

std::size_t newlines_at_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of('\n');
  return last == text.npos ? text.size() : text.size() - last - 1;
}

}  // namespace

void TextWriter::append(std::string_view text) {
  if (full_ || text.size() > bytes_max_ - out_.size()) {
    full_ = true;
    return;
  }
  out_ += text;
}

/// Writes the breaks that came since the last text. Newlines that stand there count as breaks.
void TextWriter::settle() {
  for (std::size_t have = newlines_at_end(out_); !out_.empty() && have < breaks_; ++have)
    append("\n");
  const bool begins_line = out_.empty() || out_.back() == '\n';
  if (tabs_ > bytes_max_) full_ = true;
  if (tabs_ > 0 && !full_) append(std::string(tabs_, '\t'));
  if (blank_ && tabs_ == 0 && !begins_line) append(" ");
  breaks_ = 0;
  tabs_ = 0;
  blank_ = false;
}

void TextWriter::flowing(std::string_view text) {
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(white_space);
    if (begin != 0) blank();
    if (begin == text.npos) return;
    const std::size_t end = std::min(text.find_first_of(white_space, begin), text.size());
    settle();
    append(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

void TextWriter::exact(std::string_view text) {
  if (in_row_) return flowing(text);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    if (end > 0) {
      settle();
      append(text.substr(0, end));
    }
    if (end == text.size()) return;
    // Unlike line(): blank lines between those of a program's text mean something.
    if (text[end] == '\n' && breaks_ == 0 && !out_.empty()) {
      settle();
      append("\n");
    }
    text.remove_prefix(end + 1);
  }
}

void TextWriter::break_lines(std::size_t breaks) {
  if (in_row_) return blank();
  breaks_ = std::max(breaks_, breaks);
  tabs_ = 0;
  blank_ = false;
}

void TextWriter::line() { break_lines(1); }

void TextWriter::blank_line() { break_lines(2); }

void TextWriter::tab() { in_row_ ? blank() : static_cast<void>(++tabs_); }

void TextWriter::begin_row() {
  in_row_ = false;
  line();
  row_has_cell_ = false;
}

void TextWriter::begin_cell() {
  in_row_ = true;
  blank_ = false;
  if (row_has_cell_) ++tabs_;
  row_has_cell_ = true;
}

void TextWriter::end_row() {
  in_row_ = false;
  row_has_cell_ = false;
  line();
}

std::string TextWriter::take() {
  out_.resize(out_.size() - newlines_at_end(out_));
  return std::move(out_);
}

}  // namespace craton::documents
