#include "api/validator.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "api/member_path.h"
#include "api/pattern.h"
#include "api/shapes.h"
#include "api/tables.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"

namespace craton::api {
namespace {

/// What a bound measures in a value of that kind.
double measured(const Shape& shape, const json::value& value) {
  switch (shape.kind) {
    case Kind::string: return static_cast<double>(code_points(value.get_string()));
    case Kind::blob: return static_cast<double>(base64_decoded_size(value.get_string()));
    case Kind::list: return static_cast<double>(value.get_array().size());
    case Kind::map: return static_cast<double>(value.get_object().size());
    default: return value.to_number<double>();
  }
}

bool is_bounded(Kind kind) {
  return kind != Kind::boolean && kind != Kind::timestamp && kind != Kind::structure &&
         kind != Kind::document;
}

bool is_number(Kind kind) {
  return kind == Kind::integer || kind == Kind::long_ || kind == Kind::float_ ||
         kind == Kind::double_;
}

// A constraint of a shape: whether a value breaks it, and what the caller is then told.
struct Constraint {
  bool (*stands)(const Shape& shape);
  bool (*holds)(const Shape& shape, const json::value& value);
  std::string (*text)(const Shape& shape);
};

std::string bound_text(const Shape& shape, std::string_view comparison, double bound) {
  return std::string("Member must have ") + (is_number(shape.kind) ? "value " : "length ") +
         std::string(comparison) + " than or equal to " + json::number_text(bound);
}

std::string enum_text(const Shape& shape) {
  std::string text = "Member must satisfy enum value set: [";
  for (const std::string_view value : shape.values) {
    if (value.data() != shape.values.front().data()) text += ", ";
    text += value;
  }
  return text + "]";
}

constexpr Constraint constraints[] = {
    {[](const Shape& shape) { return shape.max && is_bounded(shape.kind); },
     [](const Shape& shape, const json::value& value) {
       return measured(shape, value) <= *shape.max;
     },
     [](const Shape& shape) { return bound_text(shape, "less", *shape.max); }},
    {[](const Shape& shape) { return shape.min && is_bounded(shape.kind); },
     [](const Shape& shape, const json::value& value) {
       return measured(shape, value) >= *shape.min;
     },
     [](const Shape& shape) { return bound_text(shape, "greater", *shape.min); }},
    {[](const Shape& shape) { return shape.kind == Kind::string && shape.pattern >= 0; },
     [](const Shape& shape, const json::value& value) {
       return matches_pattern(shape.pattern, value.get_string());
     },
     [](const Shape& shape) {
       return "Member must satisfy regular expression pattern: " +
              std::string(patterns()[static_cast<std::size_t>(shape.pattern)].text);
     }},
    {[](const Shape& shape) { return !shape.values.empty(); },
     [](const Shape& shape, const json::value& value) {
       return std::ranges::binary_search(shape.values, std::string_view(value.get_string()));
     },
     enum_text},
};

/// `value` as AWS's framework prints it, like Java's toString(). Stops soon after enough is shown.
void append_shown(const json::value& value, std::string& out) {
  if (out.size() > repeated_value_max) return;
  std::string_view separator;
  if (const auto* text = value.if_string()) {
    out += std::string_view(*text).substr(0, repeated_value_max + 1);
  } else if (const auto* items = value.if_array()) {
    out += '[';
    for (const json::value& item : *items) {
      if (out.size() > repeated_value_max) break;
      out += std::exchange(separator, ", ");
      append_shown(item, out);
    }
    out += ']';
  } else if (const auto* members = value.if_object()) {
    out += '{';
    for (const auto& [name, member] : *members) {
      if (out.size() > repeated_value_max) break;
      out += std::exchange(separator, ", ");
      out += name;
      out += '=';
      append_shown(member, out);
    }
    out += '}';
  } else {
    json::append_text(value, out);
  }
}

/// The quoted value with a blank, or nothing.
std::string shown(const json::value& value) {
  std::string text;
  append_shown(value, text);
  const std::string_view repeated = first_characters(text, repeated_value_max);
  return "'" + std::string(repeated) + (repeated.size() < text.size() ? "…' " : "' ");
}

class Validation {
 public:
  explicit Validation(const Operation& operation) : operation_(operation) {}

  void check_members(const Shape& shape, const json::object& members, const MemberPath& at,
                     bool hidden) {
    std::size_t set = 0;
    for (const Member& member : shape.members) {
      const json::value* value = members.if_contains(member.name);
      if (!value && !member.required) continue;
      const MemberPath path(at, member.name);
      if (value) {
        ++set;
        const bool quiet = hidden || (at.is_input() && is_quiet(member.location));
        check(*member.shape, *value, path, quiet);
      } else if (member.location != Location::payload) {
        add("null ", path, "Member must not be null");
      }
    }
    if (shape.is_union && set != 1) {
      add("", at, "Member must have exactly one member set");
    }
  }

  Result<void> result() const {
    if (count_ == 0) return {};
    std::string text = std::to_string(count_) +
                       (count_ == 1 ? " validation error" : " validation errors") + " detected: ";
    for (const std::string& violation : listed_) {
      if (&violation != &listed_.front()) text += "; ";
      text += violation;
    }
    return Error{ErrorCode::validation, std::move(text)};
  }

 private:
  /// The runtime does not repeat what its bodies hold; prompts are in them.
  bool is_quiet(Location location) const {
    return operation_.service == Service::bedrock_runtime && location == Location::body;
  }

  void check(const Shape& shape, const json::value& value, const MemberPath& at, bool hidden) {
    hidden = hidden || shape.is_sensitive;
    for (const Constraint& constraint : constraints) {
      if (!constraint.stands(shape) || constraint.holds(shape, value)) continue;
      if (++count_ > violations_max) continue;  // counted, not written
      const bool repeats = !hidden && shape.kind != Kind::blob;
      list(repeats ? shown(value) : "", at, constraint.text(shape));
    }
    switch (shape.kind) {
      case Kind::structure: check_members(shape, value.get_object(), at, hidden); break;
      case Kind::list: check_items(shape, value, at, hidden); break;
      case Kind::map: check_entries(shape, value, at, hidden); break;
      default: break;
    }
  }

  void check_items(const Shape& shape, const json::value& list, const MemberPath& at, bool hidden) {
    std::size_t number = 0;
    for (const json::value& item : list.get_array()) {
      ++number;
      const MemberPath path(at, number, ".member");
      if (item.is_null()) {
        add("null ", path, "Member must not be null");
      } else if (is_scalar(*shape.item)) {
        if (!holds_all(*shape.item, item)) {
          add(hidden || shape.item->is_sensitive ? "" : shown(list), at,
              "Member must satisfy constraint: [" + all_texts(*shape.item) + "]");
          return;  // said once for the whole list
        }
      } else {
        check(*shape.item, item, path, hidden);
      }
    }
  }

  void check_entries(const Shape& shape, const json::value& map, const MemberPath& at,
                     bool hidden) {
    const bool quiet = hidden || shape.key->is_sensitive || shape.item->is_sensitive;
    bool keys_hold = true;
    bool values_hold = true;
    for (const auto& [key, value] : map.get_object()) {
      keys_hold = keys_hold && holds_all(*shape.key, json::value(key));
      if (is_scalar(*shape.item)) {
        values_hold = values_hold && holds_all(*shape.item, value);
      } else if (!value.is_null()) {
        check(*shape.item, value, MemberPath(at, key, ".member"), hidden);
      }
    }
    if (!keys_hold) {
      add(quiet ? "" : shown(map), at,
          "Map keys must satisfy constraint: [" + all_texts(*shape.key) + "]");
    }
    if (!values_hold) {
      add(quiet ? "" : shown(map), at,
          "Map value must satisfy constraint: [" + all_texts(*shape.item) + "]");
    }
  }

  static bool is_scalar(const Shape& shape) {
    return shape.kind != Kind::structure && shape.kind != Kind::list && shape.kind != Kind::map;
  }

  static bool holds_all(const Shape& shape, const json::value& value) {
    return !value.is_null() && std::ranges::all_of(constraints, [&](const Constraint& constraint) {
      return !constraint.stands(shape) || constraint.holds(shape, value);
    });
  }

  static std::string all_texts(const Shape& shape) {
    std::string text;
    for (const Constraint& constraint : constraints) {
      if (!constraint.stands(shape)) continue;
      if (!text.empty()) text += ", ";
      text += constraint.text(shape);
    }
    return text.empty() ? "Member must not be null" : text;
  }

  void add(std::string_view value, const MemberPath& at, const std::string& constraint) {
    if (++count_ <= violations_max) list(value, at, constraint);
  }

  void list(std::string_view value, const MemberPath& at, const std::string& constraint) {
    listed_.push_back("Value " + std::string(value) + "at '" + at.text() +
                      "' failed to satisfy constraint: " + constraint);
  }

  const Operation& operation_;
  std::size_t count_ = 0;
  std::vector<std::string> listed_;
};

}  // namespace

Result<void> validate(const Operation& operation, const json::object& members) {
  Validation validation(operation);
  validation.check_members(*operation.input, members, MemberPath(), false);
  return validation.result();
}

}  // namespace craton::api
