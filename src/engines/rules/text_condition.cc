#include "engines/rules/text_condition.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace craton::engines::rules {
namespace {

constexpr int groups_max = 20;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

Result<std::shared_ptr<const RE2>> compiled(const Source& source, const Value& value) {
  CRATON_TRY_ASSIGN(const std::string text, text_of(source, value, "regex"));
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  auto regex = std::make_shared<RE2>(text, options);
  if (!regex->ok()) {
    return source.wrong(value.line,
                        "regex: '" + text + "' is none: " + regex->error() +
                            ". The syntax is RE2's: no look-around, no back-references");
  }
  return std::shared_ptr<const RE2>(std::move(regex));
}

bool found(const RE2& regex, std::string_view text, std::vector<std::string>* groups) {
  const int wanted = groups ? std::min(regex.NumberOfCapturingGroups(), groups_max) + 1 : 0;
  std::array<re2::StringPiece, groups_max + 1> taken;
  if (!regex.Match(piece(text), 0, text.size(), RE2::UNANCHORED, taken.data(), wanted)) {
    return false;
  }
  for (int i = 0; i < wanted; ++i) {
    const re2::StringPiece& one = taken[static_cast<std::size_t>(i)];
    groups->emplace_back(one.data() ? std::string(one.data(), one.size()) : std::string());
  }
  return true;
}

}  // namespace

struct TextConditionKeys {
  static Result<void> equals(const Source& source, const Value& value, TextCondition& test) {
    CRATON_TRY_ASSIGN(test.equals_, text_of(source, value, "equals"));
    return {};
  }
  static Result<void> contains(const Source& source, const Value& value, TextCondition& test) {
    CRATON_TRY_ASSIGN(test.contains_, texts(source, value, "contains"));
    return {};
  }
  static Result<void> regex(const Source& source, const Value& value, TextCondition& test) {
    CRATON_TRY_ASSIGN(test.regex_, compiled(source, value));
    return {};
  }
};

Result<TextCondition> TextCondition::read(const Source& source, const Value& value,
                                          std::string_view what) {
  static constexpr std::array keys{Key<TextCondition>{"equals", TextConditionKeys::equals},
                                   Key<TextCondition>{"contains", TextConditionKeys::contains},
                                   Key<TextCondition>{"regex", TextConditionKeys::regex}};
  TextCondition test;
  if (value.kind == Value::Kind::map) {
    if (value.entries.empty()) return source.wrong(value.line, std::string(what) + ": is empty");
    CRATON_TRY(read_map(source, value, what, std::span<const Key<TextCondition>>(keys), test));
  } else if (value.kind == Value::Kind::text) {
    test.equals_ = value.text;
  } else {
    return source.wrong(value.line,
                        std::string(what) + ": expected a text, or equals, contains or regex");
  }
  return test;
}

bool TextCondition::holds(std::string_view text, std::vector<std::string>* groups) const {
  if (equals_ && trimmed(text) != trimmed(*equals_)) return false;
  for (const std::string& part : contains_) {
    if (text.find(part) == text.npos) return false;
  }
  return !regex_ || found(*regex_, text, groups);
}

std::string TextCondition::told() const {
  constexpr std::size_t shown_max = 80;
  if (equals_) return "is '" + equals_->substr(0, shown_max) + "'";
  if (!contains_.empty()) return "contains '" + contains_.front().substr(0, shown_max) + "'";
  return regex_ ? "fits /" + regex_->pattern().substr(0, shown_max) + "/" : "is anything";
}

}  // namespace craton::engines::rules
