#include "engines/rules/value.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace craton::engines::rules {
namespace {

constexpr int depth_max = 64;

/// Copies what yaml-cpp made; aliases become copies, so it bounds them.
class YamlReader {
 public:
  explicit YamlReader(const Source& source) : source_(source) {}

  Result<Value> read(const YAML::Node& node, int depth = 0) {
    Value value;
    value.line = node.Mark().line + 1;
    if (++values_ > values_max) return source_.wrong(value.line, "there is too much in this file");
    if (depth > depth_max) return source_.wrong(value.line, "nested too deeply");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        value.kind = Value::Kind::text;
        value.text = node.Scalar();
        value.plain = node.Tag() == "?";
        if (value.plain && (value.text == "~" || value.text == "null")) return null_at(value.line);
        return value;
      case YAML::NodeType::Sequence: return list(node, std::move(value), depth);
      case YAML::NodeType::Map: return map(node, std::move(value), depth);
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined: break;
    }
    return value;
  }

 private:
  static Value null_at(int line) {
    Value value;
    value.line = line;
    return value;
  }

  Result<Value> list(const YAML::Node& node, Value value, int depth) {
    value.kind = Value::Kind::list;
    for (const YAML::Node& item : node) {
      CRATON_TRY_ASSIGN(Value read_item, read(item, depth + 1));
      value.items.push_back(std::move(read_item));
    }
    return value;
  }

  Result<Value> map(const YAML::Node& node, Value value, int depth) {
    value.kind = Value::Kind::map;
    std::set<std::string> seen;
    for (const auto& pair : node) {
      Entry entry;
      entry.line = pair.first.Mark().line + 1;
      if (!pair.first.IsScalar()) return source_.wrong(entry.line, "expected a plain key");
      entry.key = pair.first.Scalar();
      if (!seen.insert(entry.key).second) {
        return source_.wrong(entry.line, "'" + entry.key + "' is there twice");
      }
      CRATON_TRY_ASSIGN(entry.value, read(pair.second, depth + 1));
      value.entries.push_back(std::move(entry));
    }
    return value;
  }

  const Source& source_;
  int values_ = 0;
};

Value from_json(const json::value& from) {
  Value value;
  if (const auto* array = from.if_array()) {
    value.kind = Value::Kind::list;
    for (const json::value& item : *array) value.items.push_back(from_json(item));
  } else if (const auto* object = from.if_object()) {
    value.kind = Value::Kind::map;
    for (const auto& [key, inner] : *object) {
      value.entries.push_back({std::string(key), 0, from_json(inner)});
    }
  } else if (const auto* text = from.if_string()) {
    value.kind = Value::Kind::text;
    value.text = std::string(*text);
    // Whoever writes JSON quotes what YAML need not: "250ms", and also "5".
    value.plain = false;
  } else if (!from.is_null()) {
    value.kind = Value::Kind::text;
    value.text = json::to_text(from);
    value.plain = true;
  }
  return value;
}

Value plain_text(std::string_view text) {
  Value value;
  value.kind = Value::Kind::text;
  value.text = std::string(text);
  value.plain = true;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The value at a dotted key of a map, made where it is not there yet; null when the place is
/// taken.
Value* place_for(Value& root, std::string_view key) {
  Value* at = &root;
  while (true) {
    if (at->kind == Value::Kind::text) return nullptr;
    at->kind = Value::Kind::map;
    const std::string_view name = key.substr(0, key.find('.'));
    auto found = std::ranges::find(at->entries, name, &Entry::key);
    if (found == at->entries.end()) {
      at->entries.push_back({std::string(name), 0, {}});
      found = at->entries.end() - 1;
    }
    at = &found->value;
    if (name.size() == key.size()) return at->kind == Value::Kind::null ? at : nullptr;
    key.remove_prefix(name.size() + 1);
  }
}

template <class Number>
std::optional<Number> parsed(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string found(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::list: return "a list";
    case Value::Kind::map: return "a map";
    case Value::Kind::text: break;
  }
  return "'" + value.text.substr(0, 60) + "'";
}

Error expected(const Source& source, const Value& value, std::string_view what,
               const std::string& form) {
  return source.wrong(value.line,
                      std::string(what) + ": expected " + form + ", found " + found(value));
}

}  // namespace

Error Source::wrong(int line, const std::string& what) const {
  const std::string place = line > 0 ? name + ":" + std::to_string(line) : name;
  return {ErrorCode::validation, place + ": " + what};
}

Result<Value> read_yaml(std::string_view text, const Source& source) {
  try {
    // yaml-cpp takes a quote that a file's end cuts off for closed, when a line's end comes first.
    (void)YAML::Load(std::string(text.substr(0, text.find_last_not_of(" \t\r\n") + 1)));
    return YamlReader(source).read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    return source.wrong(error.mark.line + 1, error.msg);
  }
}

Result<Value> read_json(std::string_view text, const Source& source) {
  Result<json::value> read = json::parse(text);
  if (!read) return source.wrong(0, read.error().message);
  return from_json(*read);
}

Result<Value> read_words(std::string_view text, std::string_view first_key, const Source& source) {
  Value root;
  root.kind = Value::Kind::map;
  while (!text.empty()) {
    const std::string_view part = trimmed(text.substr(0, text.find(';')));
    text.remove_prefix(std::min(text.size(), text.find(';') + (text.find(';') != text.npos)));
    if (part.empty()) continue;
    const std::size_t sign = part.find('=');
    const std::string_view key = sign == part.npos ? first_key : trimmed(part.substr(0, sign));
    const std::string_view value = sign == part.npos ? part : trimmed(part.substr(sign + 1));
    if (std::ranges::count(key, '.') > 8) return source.wrong(0, "nested too deeply");
    Value* place = place_for(root, key);
    if (!place) return source.wrong(0, "'" + std::string(key) + "' is there twice");
    *place = plain_text(value);
  }
  return root;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> names) {
  const std::string_view near = nearest(name, names);
  return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

Result<std::string> text_of(const Source& source, const Value& value, std::string_view what) {
  if (value.kind != Value::Kind::text) return expected(source, value, what, "a text");
  return value.text;
}

Result<int> whole_number(const Source& source, const Value& value, std::string_view what, int least,
                         int most) {
  const auto read = value.kind == Value::Kind::text ? parsed<int>(value.text) : std::nullopt;
  if (read && *read >= least && *read <= most) return *read;
  return expected(source, value, what,
                  "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

Result<double> number(const Source& source, const Value& value, std::string_view what, double least,
                      double most) {
  const auto read = value.kind == Value::Kind::text ? parsed<double>(value.text) : std::nullopt;
  if (read && std::isfinite(*read) && *read >= least && *read <= most) return *read;
  return expected(source, value, what,
                  "a number from " + json::number_text(least) + " to " + json::number_text(most));
}

Result<bool> yes_or_no(const Source& source, const Value& value, std::string_view what) {
  constexpr std::array<std::pair<std::string_view, bool>, 4> words{
      {{"true", true}, {"false", false}, {"on", true}, {"off", false}}};
  for (const auto& [word, meaning] : words) {
    if (value.kind == Value::Kind::text && value.text == word) return meaning;
  }
  return expected(source, value, what, "true or false");
}

Result<Milliseconds> duration(const Source& source, const Value& value, std::string_view what) {
  constexpr std::string_view form = "a time such as 250ms, 1.5s or 2m, an hour at most";
  constexpr std::array<std::pair<std::string_view, double>, 3> units{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}}};
  if (value.kind != Value::Kind::text) return expected(source, value, what, std::string(form));
  const std::size_t digits =
      std::min(value.text.size(), value.text.find_first_not_of("0123456789."));
  const auto count = parsed<double>(std::string_view(value.text).substr(0, digits));
  for (const auto& [unit, factor] : units) {
    if (!count || std::string_view(value.text).substr(digits) != unit) continue;
    if (*count * factor <= 3'600'000) return Milliseconds(std::llround(*count * factor));
  }
  return expected(source, value, what, std::string(form));
}

Result<std::vector<std::string>> texts(const Source& source, const Value& value,
                                       std::string_view what) {
  std::vector<std::string> all;
  if (value.kind != Value::Kind::list) {
    CRATON_TRY_ASSIGN(std::string one, text_of(source, value, what));
    all.push_back(std::move(one));
    return all;
  }
  for (const Value& item : value.items) {
    CRATON_TRY_ASSIGN(std::string one, text_of(source, item, what));
    all.push_back(std::move(one));
  }
  if (all.empty()) return source.wrong(value.line, std::string(what) + ": expected at least one");
  return all;
}

json::value to_json(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return nullptr;
    case Value::Kind::list: {
      json::array array;
      for (const Value& item : value.items) array.push_back(to_json(item));
      return array;
    }
    case Value::Kind::map: {
      json::object object;
      for (const Entry& entry : value.entries) object[entry.key] = to_json(entry.value);
      return object;
    }
    case Value::Kind::text: break;
  }
  if (!value.plain) return json::value(value.text);
  if (value.text == "true" || value.text == "false") return value.text == "true";
  if (const auto whole = parsed<std::int64_t>(value.text)) return *whole;
  const bool numeric = value.text.find_first_not_of("+-0123456789.eE") == value.text.npos;
  const auto real = numeric ? parsed<double>(value.text) : std::nullopt;
  if (real && std::isfinite(*real)) return *real;
  return json::value(value.text);
}

}  // namespace craton::engines::rules
