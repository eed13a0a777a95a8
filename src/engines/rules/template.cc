#include "engines/rules/template.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

#include "base/ids.h"
#include "base/nearest.h"
#include "engines/rules/json_path.h"

namespace craton::engines::rules {
namespace {

struct Variable {
  std::string_view name;
  std::string (*value)(const Facts& facts);
};

constexpr std::array variables{
    Variable{"last_user_text", [](const Facts& facts) { return facts.request.last_user_text(); }},
    Variable{"system_text", [](const Facts& facts) { return facts.request.system_text(); }},
    Variable{"tool_result", [](const Facts& facts) { return facts.request.tool_result_text(); }},
    Variable{"model_id",
             [](const Facts& facts) { return std::string(facts.request.request().model_id); }},
    Variable{"operation",
             [](const Facts& facts) { return std::string(facts.request.request().operation); }},
    Variable{"turn",
             [](const Facts& facts) { return std::to_string(facts.request.answered_turns() + 1); }},
    Variable{"call", [](const Facts& facts) { return std::to_string(facts.call); }},
    Variable{"uuid", [](const Facts&) { return random_uuid(); }},
};

// Places with something behind their name.
constexpr std::array<std::string_view, 3> with_argument{"match.", "metadata.", "json "};

Error wrong(const std::string& what) { return {ErrorCode::validation, what}; }

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::string value_of(const std::vector<std::pair<std::string, std::string>>& pairs,
                     const std::string& key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return value;
  }
  return {};
}

Error unknown(std::string_view name) {
  std::vector<std::string_view> names(with_argument.begin(), with_argument.end());
  for (const Variable& variable : variables) names.push_back(variable.name);
  const std::string_view near = nearest(name, names);
  return wrong("{{" + std::string(name) + "}} is no place that can be filled" +
               (near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?"));
}

}  // namespace

Result<Template::Part> Template::place(std::string_view text) {
  const std::string_view name = trimmed(text);
  for (const Variable& variable : variables) {
    if (variable.name != name) continue;
    return Part(
        [value = variable.value](const Facts& facts, std::string& out) { out += value(facts); });
  }
  if (name.starts_with("match.")) {
    const std::string_view digits = name.substr(6);
    std::size_t group = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), group);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return wrong("{{" + std::string(name) + "}}: expected a group's number, such as match.1");
    }
    return Part([group](const Facts& facts, std::string& out) {
      if (group < facts.groups.size()) out += facts.groups[group];
    });
  }
  if (name.starts_with("metadata.")) {
    return Part([key = std::string(name.substr(9))](const Facts& facts, std::string& out) {
      out += value_of(facts.request.request().metadata, key);
    });
  }
  if (name.starts_with("json ")) {
    CRATON_TRY_ASSIGN(JsonPath path, JsonPath::parse(trimmed(name.substr(5))));
    return Part([path = std::move(path)](const Facts& facts, std::string& out) {
      for (const std::string& found : path.find(facts.request.json())) out += found;
    });
  }
  return unknown(name);
}

Result<Template> Template::parse(std::string_view text) {
  Template made;
  std::string literal;
  const auto end_literal = [&] {
    if (literal.empty()) return;
    made.parts_.emplace_back(
        [piece = std::exchange(literal, {})](const Facts&, std::string& out) { out += piece; });
  };
  bool filled = false;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    const bool escaped = open != text.npos && open > 0 && text[open - 1] == '\\';
    literal += text.substr(0, escaped ? open - 1 : open);
    if (open == text.npos) break;
    text.remove_prefix(open + 2);
    if (escaped) {
      literal += "{{";
      continue;
    }
    const std::size_t close = text.find("}}");
    if (close == text.npos) {
      return wrong("'{{' without '}}'; write \\{{ for the braces themselves");
    }
    CRATON_TRY_ASSIGN(Part part, place(text.substr(0, close)));
    end_literal();
    made.parts_.push_back(std::move(part));
    filled = true;
    text.remove_prefix(close + 2);
  }
  if (filled) {
    end_literal();
  } else {
    made.only_ = std::move(literal);
  }
  return made;
}

std::string Template::fill(const Facts& facts) const {
  if (parts_.empty()) return only_;
  std::string text;
  for (const Part& part : parts_) part(facts, text);
  return text;
}

Result<void> JsonTemplate::add(const json::value& value) {
  if (const auto* object = value.if_object()) {
    rest_ += '{';
    bool first = true;
    for (const auto& [key, inner] : *object) {
      if (!std::exchange(first, false)) rest_ += ',';
      json::append_quoted(key, rest_);
      rest_ += ':';
      CRATON_TRY(add(inner));
    }
    rest_ += '}';
  } else if (const auto* array = value.if_array()) {
    rest_ += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) rest_ += ',';
      CRATON_TRY(add((*array)[i]));
    }
    rest_ += ']';
  } else if (const auto* text = value.if_string(); text && text->find("{{") != text->npos) {
    CRATON_TRY_ASSIGN(Template place, Template::parse(*text));
    parts_.emplace_back(std::exchange(rest_, {}), std::move(place));
  } else {
    json::append_text(value, rest_);
  }
  return {};
}

Result<JsonTemplate> JsonTemplate::read(const json::value& value) {
  JsonTemplate made;
  CRATON_TRY(made.add(value));
  return made;
}

std::string JsonTemplate::fill(const Facts& facts) const {
  std::string text;
  for (const auto& [before, place] : parts_) {
    text += before;
    json::append_quoted(place.fill(facts), text);
  }
  return text + rest_;
}

}  // namespace craton::engines::rules
