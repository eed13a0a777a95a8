#include "families/json_text.h"

#include <algorithm>
#include <boost/json/value.hpp>

#include "base/json.h"

namespace craton::families {
namespace {

/// Walks over valid JSON, a value at a time.
class Walker {
 public:
  explicit Walker(std::string_view json) : json_(json) { skip_blanks(); }

  std::string_view take_value() {
    const std::size_t begin = at_;
    skip_value();
    return json_.substr(begin, at_ - begin);
  }

  /// Steps past one byte of punctuation, and says which.
  char take_mark() {
    const char mark = json_[at_++];
    skip_blanks();
    return mark;
  }

  /// Steps past a container's opening mark; false when nothing is in it.
  bool enter() {
    take_mark();
    return json_[at_] != ']' && json_[at_] != '}';
  }

  /// Steps past the mark after a value; true when another value follows.
  bool more() {
    skip_blanks();
    return take_mark() == ',';
  }

  std::string_view take_key() {
    const std::string_view key = take_value();
    skip_blanks();
    take_mark();  // the colon
    return key;
  }

 private:
  void skip_blanks() { at_ = std::min(json_.find_first_not_of(" \t\r\n", at_), json_.size()); }

  void skip_string() {
    ++at_;
    while (json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
    ++at_;
  }

  void skip_container() {
    std::size_t depth = 0;
    do {
      at_ = json_.find_first_of("\"[]{}", at_);
      if (json_[at_] == '"') {
        skip_string();
      } else {
        depth += json_[at_] == '[' || json_[at_] == '{' ? 1 : -1;
        ++at_;
      }
    } while (depth > 0);
  }

  void skip_value() {
    if (json_[at_] == '"') return skip_string();
    if (json_[at_] == '[' || json_[at_] == '{') return skip_container();
    at_ = std::min(json_.find_first_of(",]} \t\r\n", at_), json_.size());
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

bool is_key(std::string_view quoted, std::string_view key) {
  if (quoted.find('\\') == quoted.npos) return quoted.substr(1, quoted.size() - 2) == key;
  const Result<json::value> unescaped = json::parse(quoted);
  return unescaped && std::string_view(unescaped->get_string()) == key;
}

std::string_view member_text(std::string_view object, std::string_view key) {
  Walker walker(object);
  std::string_view found;
  for (bool more = walker.enter(); more; more = walker.more()) {
    const bool wanted = is_key(walker.take_key(), key);
    const std::string_view text = walker.take_value();
    if (wanted) found = text;
  }
  return found;
}

std::string_view item_text(std::string_view array, std::size_t index) {
  Walker walker(array);
  for (bool more = walker.enter(); more; more = walker.more()) {
    const std::string_view text = walker.take_value();
    if (index-- == 0) return text;
  }
  return {};
}

}  // namespace

std::string_view value_text(std::string_view json, std::span<const Step> path) {
  std::string_view text = Walker(json).take_value();
  for (const Step& step : path) {
    text = step.key.data() ? member_text(text, step.key) : item_text(text, step.index);
  }
  return text;
}

}  // namespace craton::families
