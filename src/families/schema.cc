#include "families/schema.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "families/json_text.h"

namespace craton::families {
namespace {

using boost::json::kind;

// AWS does not publish these two; the first is recorded, the second has the form of its other
// constraints.
constexpr std::string_view malformed =
    "Malformed input request, please reformat your input and try again.";
constexpr std::string_view empty_body =
    "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have "
    "length greater than or equal to 1";

/// Where a value stands: a list from the value up to the body, on the stack of the walk.
struct Place {
  const Place* parent;  ///< nullptr: this is the body.
  Step step;
};

std::vector<Step> path_to(const Place& place) {
  std::vector<Step> path;
  for (const Place* at = &place; at->parent; at = at->parent) path.push_back(at->step);
  std::ranges::reverse(path);
  return path;
}

/// "#/messages/0/content". Keys are those of schemas: none needs the escapes of JSON pointers.
std::string pointer_to(const Place& place) {
  std::string pointer = "#";
  for (const Step& step : path_to(place)) {
    pointer += '/';
    pointer += step.key.data() ? std::string(step.key) : std::to_string(step.index);
  }
  return pointer;
}

/// As much of the caller's own text as a message repeats.
std::string repeated(std::string_view text) {
  const std::string_view first = first_characters(text, repeated_text_max);
  return std::string(first) + (first.size() < text.size() ? "..." : "");
}

bool in_decimal_notation(std::string_view number) {
  return number.find_first_of(".eE") != number.npos || number == "-0";
}

/// The class that org.json makes of a number, by how it is written.
std::string_view number_class(std::string_view number) {
  if (in_decimal_notation(number)) return "BigDecimal";
  std::int64_t integer = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), integer);
  if (read.ec != std::errc()) return "BigInteger";
  return integer == static_cast<std::int32_t>(integer) ? "Integer" : "Long";
}

std::string_view expected_class(JsonType type) {
  switch (type) {
    case JsonType::string: return "String";
    case JsonType::integer: return "Integer";
    case JsonType::number: return "Number";
    case JsonType::boolean: return "Boolean";
    case JsonType::array: return "JSONArray";
    case JsonType::object: return "JSONObject";
    case JsonType::any: break;
  }
  return "Object";
}

/// The row of a table that is there for `model`; nullptr when none is.
template <class Row>
const Row* find_row(std::span<const Row> rows, std::string_view Row::* key, std::string_view name,
                    const ModelContext& model) {
  const auto at = std::ranges::find(rows, name, key);
  return at == rows.end() || (at->on && !at->on(model)) ? nullptr : &*at;
}

/// The member that counts as there.
const json::value* present(const Schema& schema, const json::object& members,
                           std::string_view name) {
  const json::value* member = members.if_contains(name);
  return member && member->is_null() && schema.nulls_are_absent ? nullptr : member;
}

json::object without_nulls(json::object& members) {
  json::object kept(members.storage());
  for (auto& member : members) {
    if (!member.value().is_null()) kept.emplace(member.key(), std::move(member.value()));
  }
  return kept;
}

/// Leaves out the members of a valid body that count as absent.
void drop_nulls(const Schema& schema, json::value& value) {
  for (const Schema* alternative : schema.alternatives) drop_nulls(*alternative, value);
  if (json::array* items = value.if_array(); items && schema.items) {
    for (json::value& item : *items) drop_nulls(*schema.items, item);
  }
  json::object* members = value.if_object();
  if (!members) return;
  if (schema.nulls_are_absent) *members = without_nulls(*members);
  for (const Property& property : schema.properties) {
    if (json::value* member = members->if_contains(property.name)) {
      drop_nulls(*property.schema, *member);
    }
  }
  for (const Variant& variant : schema.variants) {
    const json::value* type = members->if_contains(schema.variant_key);
    if (type && type->is_string() && variant.type == type->get_string()) {
      drop_nulls(*variant.schema, value);
    }
  }
}

/// Holds one body against a schema. Collects violations in the order of the everit validator: an
/// object's forbidden, required and extraneous keys, then what is wrong inside.
class Validation {
 public:
  Validation(std::string_view body, const ModelContext& model) : body_(body), model_(model) {}

  void check(const Schema& schema, const json::value& value, const Place& place) {
    if (!schema.alternatives.empty()) return check_alternatives(schema, value, place);
    if (!has_type(schema.type, value, place)) return report_type(schema, value, place);
    switch (schema.type) {
      case JsonType::string: return check_string(schema, value.get_string(), place);
      case JsonType::integer:
      case JsonType::number: return check_number(schema, value, place);
      case JsonType::array: return check_array(schema, value.get_array(), place);
      case JsonType::object: return check_object(schema, value.get_object(), place);
      case JsonType::boolean:
      case JsonType::any: return;
    }
  }

  /// All violations, joined; empty when the body is valid.
  const std::string& violations() const { return violations_; }

 private:
  void report(const Place& place, const std::string& what) {
    if (count_++ >= violations_max) return;
    if (!violations_.empty()) violations_ += ", ";
    violations_ += pointer_to(place) + ": " + what;
  }

  void report_type(const Schema& schema, const json::value& value, const Place& place) {
    report(place, "expected type: " + std::string(expected_class(schema.type)) +
                      ", found: " + std::string(found_class(value, place)));
  }

  std::string_view written(const Place& place) const { return value_text(body_, path_to(place)); }

  std::string_view found_class(const json::value& value, const Place& place) const {
    switch (value.kind()) {
      case kind::null: return "Null";
      case kind::bool_: return "Boolean";
      case kind::string: return "String";
      case kind::array: return "JSONArray";
      case kind::object: return "JSONObject";
      case kind::int64:
      case kind::uint64:
      case kind::double_: break;
    }
    return number_class(written(place));
  }

  bool has_type(JsonType type, const json::value& value, const Place& place) const {
    switch (type) {
      case JsonType::any: return true;
      case JsonType::string: return value.is_string();
      case JsonType::boolean: return value.is_bool();
      case JsonType::array: return value.is_array();
      case JsonType::object: return value.is_object();
      case JsonType::number: return value.is_number();
      case JsonType::integer: break;
    }
    if (!value.is_double()) return value.is_number();
    return !in_decimal_notation(written(place));  // an integer past 64 bits
  }

  void check_alternatives(const Schema& schema, const json::value& value, const Place& place) {
    for (const Schema* alternative : schema.alternatives) {
      if (has_type(alternative->type, value, place)) return check(*alternative, value, place);
    }
    for (const Schema* alternative : schema.alternatives) report_type(*alternative, value, place);
  }

  void check_number(const Schema& schema, const json::value& value, const Place& place) {
    const auto number = value.to_number<double>();
    if (schema.minimum) check_minimum(*schema.minimum, number, place);
    std::optional<Bound> maximum = schema.maximum;
    if (schema.maximum_of) {
      const std::optional<double> models = schema.maximum_of(model_);
      maximum = models ? std::optional(Bound{*models}) : std::nullopt;
    }
    if (maximum) check_maximum(*maximum, number, place);
    if (schema.multiple_of > 1 && std::fmod(number, schema.multiple_of) != 0) {
      report(place, repeated(written(place)) + " is not a multiple of " +
                        std::to_string(schema.multiple_of));
    }
  }

  void check_minimum(const Bound& bound, double number, const Place& place) {
    if (number > bound.value || (number == bound.value && !bound.exclusive)) return;
    const std::string_view what =
        bound.exclusive ? " is not greater than " : " is not greater or equal to ";
    report(place, repeated(written(place)) + std::string(what) + json::number_text(bound.value));
  }

  void check_maximum(const Bound& bound, double number, const Place& place) {
    if (number < bound.value || (number == bound.value && !bound.exclusive)) return;
    const std::string_view what =
        bound.exclusive ? " is not less than " : " is not less or equal to ";
    report(place, repeated(written(place)) + std::string(what) + json::number_text(bound.value));
  }

  void check_string(const Schema& schema, std::string_view text, const Place& place) {
    if (schema.size_min > 0 || schema.size_max != no_limit) check_length(schema, text, place);
    if (schema.pattern && !schema.pattern->matches(text)) {
      report(place, "string [" + repeated(text) + "] does not match pattern " +
                        std::string(schema.pattern->text));
    }
    if (!schema.values.empty() && std::ranges::find(schema.values, text) == schema.values.end()) {
      report(place, repeated(text) + " is not a valid enum value");
    }
  }

  void check_length(const Schema& schema, std::string_view text, const Place& place) {
    const std::size_t length = code_points(text);
    if (length < schema.size_min) {
      report(place, "expected minLength: " + std::to_string(schema.size_min) +
                        ", actual: " + std::to_string(length));
    }
    if (length > schema.size_max) {
      report(place, "expected maxLength: " + std::to_string(schema.size_max) +
                        ", actual: " + std::to_string(length));
    }
  }

  void check_array(const Schema& schema, const json::array& items, const Place& place) {
    if (items.size() < schema.size_min) {
      report(place, "expected minimum item count: " + std::to_string(schema.size_min) +
                        ", found: " + std::to_string(items.size()));
    }
    if (items.size() > schema.size_max) {
      report(place, "expected maximum item count: " + std::to_string(schema.size_max) +
                        ", found: " + std::to_string(items.size()));
    }
    if (!schema.items) return;
    for (std::size_t i = 0; i < items.size() && count_ < violations_max; ++i) {
      check(*schema.items, items[i], Place{&place, Step{.key = {}, .index = i}});
    }
  }

  void check_object(const Schema& schema, const json::object& members, const Place& place) {
    if (!schema.variants.empty()) return check_variant(schema, members, place);
    if (!schema.forbidden_key.empty() && members.contains(schema.forbidden_key)) {
      report(place, "subject must not be valid against schema {\"required\":[" +
                        json::quote(schema.forbidden_key) + "]}");
    }
    check_keys(schema, members, place);
    for (const Property& property : schema.properties) {
      const json::value* member = present(schema, members, property.name);
      if (property.on && !property.on(model_)) continue;
      if (member) check(*property.schema, *member, Place{&place, Step{.key = property.name}});
    }
  }

  void check_keys(const Schema& schema, const json::object& members, const Place& place) {
    for (const Property& property : schema.properties) {
      if (property.presence == Presence::optional) continue;
      if (present(schema, members, property.name)) continue;
      report(place, "required key [" + std::string(property.name) + "] not found");
    }
    if (schema.unknown_keys == UnknownKeys::permitted) return;
    for (const auto& member : members) {
      const std::string_view key = member.key();
      if (key == schema.forbidden_key || !present(schema, members, key)) continue;
      if (!find_row(schema.properties, &Property::name, key, model_)) {
        report(place, "extraneous key [" + repeated(key) + "] is not permitted");
      }
    }
  }

  void check_variant(const Schema& schema, const json::object& members, const Place& place) {
    const json::value* type = members.if_contains(schema.variant_key);
    const Variant* variant = find_variant(schema, type);
    if (variant) return check_object(*variant->schema, members, place);
    if (schema.variant_otherwise) check_object(*schema.variant_otherwise, members, place);
    const Place type_place{&place, Step{.key = schema.variant_key}};
    if (type && type->is_string()) {
      return report(type_place, repeated(type->get_string()) + " is not a valid enum value");
    }
    if (schema.variant_otherwise) return;
    if (type) return report_type(text_schema, *type, type_place);
    report(place, "required key [" + std::string(schema.variant_key) + "] not found");
  }

  /// By the member `type`, which may be absent; nullptr when it names none.
  const Variant* find_variant(const Schema& schema, const json::value* type) const {
    if (type && !type->is_string()) return nullptr;
    const std::string_view name =
        type ? std::string_view(type->get_string()) : schema.variant_default;
    return find_row(schema.variants, &Variant::type, name, model_);
  }

  std::string_view body_;
  const ModelContext& model_;
  std::string violations_;
  std::size_t count_ = 0;
};

/// `body` is the text of `value`.
Result<void> hold_against(const Schema& schema, const json::value& value, std::string_view body,
                          const ModelContext& model) {
  Validation validation(body, model);
  validation.check(schema, value, Place{nullptr, {}});
  if (validation.violations().empty()) return {};
  return violation(validation.violations());
}

}  // namespace

Error violation(std::string_view what) {
  return {ErrorCode::validation, "Malformed input request: " + std::string(what) +
                                     ", please reformat your input and try again."};
}

Result<json::object> read_body(std::string_view body, const Schema& schema,
                               const ModelContext& model) {
  if (body.empty()) return Error{ErrorCode::validation, std::string(empty_body)};
  Result<json::value> value = json::parse(body);
  if (!value) return Error{ErrorCode::validation, std::string(malformed)};
  CRATON_TRY(hold_against(schema, *value, body, model));
  drop_nulls(schema, *value);
  return std::move(value->get_object());
}

Result<void> check_members(const json::object& members, const Schema& schema,
                           const ModelContext& model) {
  return hold_against(schema, json::value(members), json::to_text(members), model);
}

}  // namespace craton::families
