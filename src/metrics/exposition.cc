#include "metrics/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace craton::metrics {
namespace {

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// What is left of a line.
class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Empty when no name stands here.
  std::string_view take_name() {
    std::size_t size = 0;
    if (!rest_.empty() && begins_name(rest_.front())) {
      while (size < rest_.size() && is_in_name(rest_[size])) ++size;
    }
    return take(size);
  }

  /// All up to the next blank.
  std::string_view take_word() {
    const auto end = std::ranges::find_if(rest_, is_blank);
    return take(static_cast<std::size_t>(end - rest_.begin()));
  }

  /// The text of a label's value up to the quote that ends it; nullopt when none does.
  std::optional<std::string> take_quoted() {
    std::string text;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == '"') {
        take(i + 1);
        return text;
      }
      if (c == '\\' && i + 1 < rest_.size()) {
        c = rest_[++i];
        if (c == 'n') c = '\n';
        if (c != '\n' && c != '\\' && c != '"') text += '\\';  // not an escape: both stand
      }
      text += c;
    }
    return std::nullopt;
  }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

/// Numbers that from_chars() does not read as the format writes them.
struct Special {
  std::string_view text;
  double value;
};
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::array specials{Special{"+Inf", infinity}, Special{"Inf", infinity},
                              Special{"-Inf", -infinity},
                              Special{"NaN", std::numeric_limits<double>::quiet_NaN()}};

std::optional<double> number_of(std::string_view text) {
  const auto row = std::ranges::find(specials, text, &Special::text);
  if (row != specials.end()) return row->value;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end == text.data() + text.size() && !text.empty();
  const bool finite = error == std::errc() && std::isfinite(number);
  return whole && finite ? std::optional(number) : std::nullopt;
}

std::string_view label_name(const std::pair<std::string, std::string>& label) {
  return label.first;
}

using Problem = const char*;  ///< What is wrong with a line; null when nothing is.

Problem read_labels(Cursor& cursor, Sample& sample) {
  for (bool first = true;; first = false) {
    cursor.skip_blanks();
    if (cursor.take('}')) return nullptr;
    if (!first && !cursor.take(',')) return "',' or '}' expected after a label";
    cursor.skip_blanks();
    if (!first && cursor.take('}')) return nullptr;  // the format allows a comma at the end
    const std::string_view name = cursor.take_name();
    if (name.empty() || name.find(':') != name.npos) return "a label's name expected";
    if (std::ranges::find(sample.labels, name, label_name) != sample.labels.end()) {
      return "a label is there twice";
    }
    cursor.skip_blanks();
    if (!cursor.take('=')) return "'=' expected after a label's name";
    cursor.skip_blanks();
    if (!cursor.take('"')) return "'\"' expected before a label's value";
    std::optional<std::string> value = cursor.take_quoted();
    if (!value) return "a label's value does not end";
    if (sample.labels.size() == labels_max) return "too many labels";
    sample.labels.emplace_back(name, std::move(*value));
  }
}

Problem read_sample(Cursor cursor, Sample& sample) {
  sample.name = cursor.take_name();
  if (sample.name.empty()) return "a metric's name expected";
  cursor.skip_blanks();
  if (cursor.take('{')) {
    if (const Problem problem = read_labels(cursor, sample)) return problem;
  }
  cursor.skip_blanks();
  const std::optional<double> value = number_of(cursor.take_word());
  if (!value) return "a number expected";
  sample.value = *value;
  cursor.skip_blanks();
  const bool exemplar = cursor.rest().starts_with('#');
  if (cursor.at_end() || exemplar) return nullptr;
  if (!number_of(cursor.take_word())) return "a time stamp expected";
  cursor.skip_blanks();
  return cursor.at_end() || cursor.rest().starts_with('#') ? nullptr : "the line should end here";
}

Declared& declared_of(Exposition& page, std::string_view name) {
  const bool same = !page.declared.empty() && page.declared.back().name == name;
  if (!same) page.declared.push_back({std::string(name), {}, {}});
  return page.declared.back();
}

/// `# TYPE name counter`; other comments say nothing.
void read_comment(Cursor cursor, Exposition& page) {
  cursor.skip_blanks();
  const std::string_view what = cursor.take_word();
  if (what != "HELP" && what != "TYPE") return;
  cursor.skip_blanks();
  const std::string_view name = cursor.take_name();
  if (name.empty()) return;
  cursor.skip_blanks();
  Declared& declared = declared_of(page, name);
  (what == "HELP" ? declared.help : declared.type) = std::string(cursor.rest());
}

Error problem_at(std::size_t line, const std::string& what) {
  return {ErrorCode::validation, "line " + std::to_string(line) + ": " + what};
}

}  // namespace

std::string_view Sample::label(std::string_view wanted) const {
  const auto row = std::ranges::find(labels, wanted, label_name);
  return row == labels.end() ? std::string_view() : std::string_view(row->second);
}

Result<Exposition> read_page(std::string_view text) {
  if (text.size() > page_bytes_max) {
    return Error{ErrorCode::validation,
                 "the page is larger than " + std::to_string(page_bytes_max) + " bytes"};
  }
  Exposition page;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    std::string_view content = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (content.ends_with('\r')) content.remove_suffix(1);
    Cursor cursor(content);
    cursor.skip_blanks();
    if (cursor.at_end()) continue;
    if (cursor.take('#')) {
      read_comment(cursor, page);
      continue;
    }
    Sample& sample = page.samples.emplace_back();
    if (const Problem problem = read_sample(cursor, sample)) return problem_at(line, problem);
  }
  return page;
}

}  // namespace craton::metrics
