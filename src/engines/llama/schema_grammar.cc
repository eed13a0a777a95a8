#include "engines/llama/schema_grammar.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engines/llama/pattern_grammar.h"

namespace craton::engines::llama {
namespace {

constexpr int steps_max = 20'000;  // schemas looked at, copies of merged ones included
constexpr int depth_max = 200;
constexpr int alternatives_max = 256;

// Integers that every reader of JSON takes; where a schema sets no bound these are it.
constexpr std::int64_t integer_max = 9'007'199'254'740'991;

// What a grammar cannot keep.
constexpr std::string_view unsupported_keywords[] = {"not",
                                                     "if",
                                                     "then",
                                                     "else",
                                                     "contains",
                                                     "minContains",
                                                     "maxContains",
                                                     "patternProperties",
                                                     "propertyNames",
                                                     "dependentRequired",
                                                     "dependentSchemas",
                                                     "dependencies",
                                                     "unevaluatedProperties",
                                                     "unevaluatedItems",
                                                     "$dynamicRef",
                                                     "$recursiveRef",
                                                     "extends",
                                                     "disallow"};

// What says nothing about which values fit.
constexpr std::string_view annotations[] = {"title",
                                            "description",
                                            "default",
                                            "examples",
                                            "example",
                                            "$comment",
                                            "deprecated",
                                            "readOnly",
                                            "writeOnly",
                                            "$schema",
                                            "$id",
                                            "$anchor",
                                            "id",
                                            "$defs",
                                            "definitions",
                                            "contentEncoding",
                                            "contentMediaType"};

Error refused(std::string why) { return {ErrorCode::validation, std::move(why)}; }

Error unsupported(std::string_view keyword) {
  return refused("the keyword '" + std::string(keyword) + "' is not supported");
}

Error wrong(std::string_view keyword) {
  return refused("the value of '" + std::string(keyword) + "' is not one that can be kept");
}

Error ask_differently(std::string_view keyword) {
  return refused("two parts of it ask for different things by '" + std::string(keyword) + "'");
}

bool is_annotation(std::string_view keyword) {
  return std::ranges::find(annotations, keyword) != std::end(annotations);
}

/// `schema` without what says nothing.
json::object constraints_of(const json::object& schema) {
  json::object all;
  for (const auto& [keyword, value] : schema) {
    if (!is_annotation(keyword)) all[keyword] = value;
  }
  return all;
}

json::object without(const json::object& schema, std::string_view keyword) {
  json::object rest = schema;
  rest.erase(keyword);
  return rest;
}

std::optional<std::int64_t> integral(double number, double (*rounded)(double)) {
  const double whole = rounded(number);
  if (!(std::abs(whole) <= static_cast<double>(integer_max))) return std::nullopt;
  return static_cast<std::int64_t>(whole);
}

enum Types : unsigned {
  type_null = 1,
  type_boolean = 2,
  type_integer = 4,
  type_number = 8,  ///< Integers are numbers, too.
  type_string = 16,
  type_array = 32,
  type_object = 64,
};

struct TypeRow {
  std::string_view name;
  unsigned type;
};
constexpr TypeRow type_rows[] = {{"null", type_null},       {"boolean", type_boolean},
                                 {"integer", type_integer}, {"number", type_number},
                                 {"string", type_string},   {"array", type_array},
                                 {"object", type_object}};

// Where no `type` is given, a keyword tells which is meant.
constexpr TypeRow implied_rows[] = {{"properties", type_object},
                                    {"required", type_object},
                                    {"additionalProperties", type_object},
                                    {"minProperties", type_object},
                                    {"maxProperties", type_object},
                                    {"items", type_array},
                                    {"prefixItems", type_array},
                                    {"minItems", type_array},
                                    {"maxItems", type_array},
                                    {"pattern", type_string},
                                    {"minLength", type_string},
                                    {"maxLength", type_string},
                                    {"minimum", type_number},
                                    {"maximum", type_number},
                                    {"exclusiveMinimum", type_number},
                                    {"exclusiveMaximum", type_number}};

unsigned type_named(std::string_view name) {
  const auto* row = std::ranges::find(type_rows, name, &TypeRow::name);
  return row == std::end(type_rows) ? 0 : row->type;
}

/// Types that `schema` names; 0 when it names none.
unsigned types_named(const json::object& schema) {
  const json::value* type = schema.if_contains("type");
  if (!type) return 0;
  if (type->is_string()) return type_named(type->get_string());
  unsigned types = 0;
  if (type->is_array()) {
    for (const json::value& one : type->get_array()) {
      if (one.is_string()) types |= type_named(one.get_string());
    }
  }
  return types;
}

/// The value of `type` that names what both name.
Result<json::value> common_types(unsigned a, unsigned b) {
  for (unsigned* types : {&a, &b}) {
    if (*types & type_number) *types |= type_integer;
  }
  json::array names;
  for (const TypeRow& row : type_rows) {
    if (a & b & row.type) names.emplace_back(row.name);
  }
  if (names.empty()) return ask_differently("type");
  return json::value(std::move(names));
}

unsigned type_of(const json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return type_null;
    case boost::json::kind::bool_: return type_boolean;
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return type_integer | type_number;
    case boost::json::kind::double_: return type_number;
    case boost::json::kind::string: return type_string;
    case boost::json::kind::array: return type_array;
    case boost::json::kind::object: return type_object;
  }
  return 0;
}

/// The values of `const` or `enum`; nullopt without either.
std::optional<json::array> values_named(const json::object& schema) {
  if (const json::value* only = schema.if_contains("const")) return json::array{*only};
  const json::value* listed = schema.if_contains("enum");
  if (!listed || !listed->is_array()) return std::nullopt;
  return listed->get_array();
}

/// True when nothing can fit both: they name other types, or other values, or a required member
/// that both have names other values.
bool exclude_each_other(const json::object& a, const json::object& b) {
  const auto values_a = values_named(a);
  const auto values_b = values_named(b);
  if (values_a && values_b) {
    return std::ranges::none_of(*values_a, [&](const json::value& value) {
      return std::ranges::find(*values_b, value) != values_b->end();
    });
  }
  unsigned types_a = types_named(a);
  unsigned types_b = types_named(b);
  for (unsigned* types : {&types_a, &types_b}) {
    if (*types & type_number) *types |= type_integer;
  }
  if (types_a && types_b && !(types_a & types_b)) return true;
  const auto member = [](const json::object& schema, std::string_view name) -> const json::object* {
    const json::value* members = schema.if_contains("properties");
    const json::value* required = schema.if_contains("required");
    if (!members || !members->is_object() || !required || !required->is_array()) return nullptr;
    const json::value* found = members->get_object().if_contains(name);
    const auto& names = required->get_array();
    const bool must = std::ranges::find(names, json::value(name)) != names.end();
    return found && must ? found->if_object() : nullptr;
  };
  const json::value* members = a.if_contains("properties");
  if (!members || !members->is_object()) return false;
  return std::ranges::any_of(members->get_object(), [&](const auto& each) {
    const json::object* of_a = member(a, each.key());
    const json::object* of_b = member(b, each.key());
    if (!of_a || !of_b) return false;
    const auto one = values_named(*of_a);
    const auto other = values_named(*of_b);
    return one && other && exclude_each_other(*of_a, *of_b);
  });
}

class SchemaCompiler {
 public:
  SchemaCompiler(JsonGrammar& json, const json::value& document)
      : json_(json), builder_(json.builder()), document_(document) {}

  Result<RuleId> compile(const json::value& schema);

 private:
  Result<RuleId> compile_object(const json::object& schema);
  Result<RuleId> by_keyword(const json::object& schema);
  Result<RuleId> reference(const json::object& schema);
  Result<RuleId> all_of(const json::object& schema);
  Result<RuleId> alternatives(const json::object& schema, std::string_view keyword);
  Result<RuleId> values(const json::object& schema);
  Result<RuleId> of_types(const json::object& schema);
  Result<RuleId> of_type(const json::object& schema, unsigned type);

  Result<RuleId> object(const json::object& schema);
  Result<RuleId> map_of(const json::object& schema);
  Result<RuleId> array(const json::object& schema);
  Result<RuleId> tuple(const json::object& schema, const json::array& items);
  Result<RuleId> string(const json::object& schema);
  Result<RuleId> number(const json::object& schema, bool whole);

  RuleId members_chain(const std::vector<std::pair<RuleId, bool>>& members);
  std::optional<RuleId> known_format(std::string_view format);
  void magnitudes(RuleId rule, std::string_view sign, std::int64_t from, std::int64_t to,
                  bool whole);
  RuleId digits_between(std::string from, std::string to);

  Result<json::object> resolved(json::object schema);
  Result<const json::value*> target_of(const json::value& reference) const;
  Result<json::object> merged(json::object into, const json::object& other);
  Result<std::optional<std::uint32_t>> count(const json::object& schema, std::string_view keyword);

  JsonGrammar& json_;
  GrammarBuilder& builder_;
  const json::value& document_;
  std::map<const json::value*, RuleId> references_;
  int steps_ = 0;
  int depth_ = 0;
};

Result<RuleId> SchemaCompiler::compile(const json::value& schema) {
  if (schema.is_bool() && schema.get_bool()) return json_.value();
  if (!schema.is_object()) return refused("a schema in it is not an object");
  if (++steps_ > steps_max || builder_.full()) return refused("it is too large");
  if (depth_ >= depth_max) return refused("it is nested too deeply");
  ++depth_;
  Result<RuleId> rule = compile_object(schema.get_object());
  --depth_;
  return rule;
}

Result<RuleId> SchemaCompiler::compile_object(const json::object& schema) {
  for (const std::string_view keyword : unsupported_keywords) {
    if (schema.contains(keyword)) return unsupported(keyword);
  }
  return by_keyword(schema);
}

Result<RuleId> SchemaCompiler::by_keyword(const json::object& schema) {
  if (schema.contains("$ref")) return reference(schema);
  if (schema.contains("allOf")) return all_of(schema);
  for (const std::string_view keyword : {"anyOf", "oneOf"}) {
    if (schema.contains(keyword)) return alternatives(schema, keyword);
  }
  if (schema.contains("const") || schema.contains("enum")) return values(schema);
  return of_types(schema);
}

/// What a JSON pointer into this document names.
Result<const json::value*> SchemaCompiler::target_of(const json::value& reference) const {
  if (!reference.is_string()) return wrong("$ref");
  const std::string_view text = reference.get_string();
  if (!text.starts_with('#')) {
    return refused("a '$ref' may only lead into the schema itself ('#/$defs/...')");
  }
  boost::system::error_code error;
  const json::value* target = document_.find_pointer(text.substr(1), error);
  if (!target || error) return refused("a '$ref' leads to nothing");
  return target;
}

/// A reference alone is a rule of its own, so that schemas may refer to themselves.
Result<RuleId> SchemaCompiler::reference(const json::object& schema) {
  const json::object constraints = constraints_of(schema);
  if (constraints.size() > 1) {
    CRATON_TRY_ASSIGN(const json::object whole, resolved(constraints));
    return compile(whole);
  }
  CRATON_TRY_ASSIGN(const json::value* target, target_of(schema.at("$ref")));
  const auto [at, is_new] = references_.try_emplace(target, 0);
  if (!is_new) return at->second;
  const RuleId rule = at->second = builder_.rule();
  CRATON_TRY_ASSIGN(const RuleId meant, compile(*target));
  builder_.add(rule, Sequence().rule(meant));
  return rule;
}

/// `schema` with what its `$ref` names put in its place.
Result<json::object> SchemaCompiler::resolved(json::object schema) {
  while (schema.contains("$ref")) {
    if (++steps_ > steps_max) return refused("it is too large");
    CRATON_TRY_ASSIGN(const json::value* target, target_of(schema.at("$ref")));
    schema.erase("$ref");
    if (target->is_bool() && target->get_bool()) continue;
    if (!target->is_object()) return wrong("$ref");
    CRATON_TRY_ASSIGN(schema, merged(std::move(schema), target->get_object()));
  }
  return schema;
}

/// One schema that asks for what both ask for.
Result<json::object> SchemaCompiler::merged(json::object into, const json::object& other) {
  for (const auto& [keyword, value] : other) {
    if (++steps_ > steps_max) return refused("it is too large");
    const json::value* mine = into.if_contains(keyword);
    if (is_annotation(keyword) || (mine && *mine == value)) continue;
    if (!mine) {
      into[keyword] = value;
    } else if (keyword == "required" && mine->is_array() && value.is_array()) {
      for (const json::value& name : value.get_array()) {
        json::array& names = into[keyword].get_array();
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
    } else if (keyword == "properties" && mine->is_object() && value.is_object()) {
      json::object& members = into[keyword].get_object();
      for (const auto& [name, schema] : value.get_object()) {
        json::value* both = members.if_contains(name);
        if (!both) {
          members[name] = schema;
        } else if (*both != schema) {
          *both = json::object{{"allOf", json::array{*both, schema}}};
        }
      }
    } else if (keyword == "additionalProperties") {
      const auto is = [](const json::value& v, bool what) {
        return v.is_bool() && v.get_bool() == what;
      };
      if (is(*mine, true) || is(value, false)) into[keyword] = value;
      if (!mine->is_bool() && !value.is_bool()) return ask_differently(keyword);
    } else if (keyword == "type") {
      CRATON_TRY_ASSIGN(into[keyword], common_types(types_named(into), types_named(other)));
    } else {
      return ask_differently(keyword);
    }
  }
  return into;
}

Result<RuleId> SchemaCompiler::all_of(const json::object& schema) {
  const json::value& parts = schema.at("allOf");
  if (!parts.is_array()) return wrong("allOf");
  json::object whole = without(constraints_of(schema), "allOf");
  for (const json::value& part : parts.get_array()) {
    if (part.is_bool() && part.get_bool()) continue;
    if (!part.is_object()) return wrong("allOf");
    CRATON_TRY_ASSIGN(const json::object one, resolved(part.get_object()));
    CRATON_TRY_ASSIGN(whole, merged(std::move(whole), one));
  }
  return compile(whole);
}

Result<RuleId> SchemaCompiler::alternatives(const json::object& schema, std::string_view keyword) {
  const json::value& listed = schema.at(keyword);
  if (!listed.is_array() || listed.get_array().empty()) return wrong(keyword);
  if (listed.get_array().size() > alternatives_max) return refused("it is too large");
  const json::object rest = without(constraints_of(schema), keyword);
  const RuleId rule = builder_.rule();  // refused in the end when no alternative is left
  std::vector<json::object> exclusive;
  for (const json::value& one : listed.get_array()) {
    if (keyword == "oneOf") {
      if (!one.is_object()) return wrong(keyword);
      CRATON_TRY_ASSIGN(json::object alone, resolved(one.get_object()));
      exclusive.push_back(std::move(alone));
    }
    json::value whole = one;
    if (!rest.empty()) {
      json::object other;
      if (one.is_object()) {
        CRATON_TRY_ASSIGN(other, resolved(one.get_object()));
      }
      auto both = merged(rest, other);
      if (!both) continue;  // nothing can fit this one
      whole = *std::move(both);
    }
    CRATON_TRY_ASSIGN(const RuleId alternative, compile(whole));
    builder_.add(rule, Sequence().rule(alternative));
  }
  for (std::size_t i = 0; i < exclusive.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (++steps_ > steps_max) return refused("it is too large");
      if (!exclude_each_other(exclusive[i], exclusive[k])) {
        return refused("alternatives of 'oneOf' may hold at once; use 'anyOf'");
      }
    }
  }
  return rule;
}

Result<RuleId> SchemaCompiler::values(const json::object& schema) {
  const std::optional<json::array> listed = values_named(schema);
  if (!listed) return wrong("enum");
  const unsigned types = types_named(schema);
  const RuleId rule = builder_.rule();
  bool some = false;
  for (const json::value& value : *listed) {
    if (types && !(types & type_of(value))) continue;
    builder_.add(rule, Sequence().literal(json::to_text(value)));
    some = true;
  }
  if (!some) return wrong(schema.contains("const") ? "const" : "enum");
  return rule;
}

Result<RuleId> SchemaCompiler::of_types(const json::object& schema) {
  unsigned types = types_named(schema);
  if (schema.contains("type") && !types) return wrong("type");
  if (!types) {
    for (const TypeRow& row : implied_rows) {
      if (types == 0 && schema.contains(row.name)) types = row.type;
    }
  }
  if (!types) return json_.value();
  if (types & type_number) types &= ~unsigned{type_integer};
  const RuleId rule = builder_.rule();
  for (const TypeRow& row : type_rows) {
    if (!(types & row.type)) continue;
    CRATON_TRY_ASSIGN(const RuleId one, of_type(schema, row.type));
    builder_.add(rule, Sequence().rule(one));
  }
  return rule;
}

Result<RuleId> SchemaCompiler::of_type(const json::object& schema, unsigned type) {
  switch (type) {
    case type_object: return object(schema);
    case type_array: return array(schema);
    case type_string: return string(schema);
    case type_integer: return number(schema, true);
    case type_number: return number(schema, false);
    case type_null: return builder_.rule(Sequence().literal("null"));
    default: break;
  }
  const RuleId rule = builder_.rule(Sequence().literal("true"));
  builder_.add(rule, Sequence().literal("false"));
  return rule;
}

/// A bound on how many; nullopt when there is none.
Result<std::optional<std::uint32_t>> SchemaCompiler::count(const json::object& schema,
                                                           std::string_view keyword) {
  const json::value* bound = schema.if_contains(keyword);
  if (!bound) return std::optional<std::uint32_t>();
  if (!bound->is_number()) return wrong(keyword);
  const auto number = bound->to_number<double>();
  if (!(number >= 0) || number != std::floor(number)) return wrong(keyword);
  return std::optional(static_cast<std::uint32_t>(std::min(number, 4e9)));
}

Result<RuleId> SchemaCompiler::map_of(const json::object& schema) {
  const json::value* values = schema.if_contains("additionalProperties");
  if (!values || (values->is_bool() && values->get_bool())) return json_.object();
  const RuleId space = json_.space();
  const RuleId nothing = builder_.rule(Sequence().literal("{").rule(space).literal("}"));
  if (values->is_bool()) return nothing;
  CRATON_TRY_ASSIGN(const RuleId value, compile(*values));
  const RuleId member =
      builder_.rule(Sequence().rule(json_.string()).literal(":").rule(space).rule(value));
  const RuleId more = builder_.rule(Sequence().literal(",").rule(space).rule(member));
  const RuleId rule = builder_.rule();
  builder_.add(rule, Sequence().rule(nothing));
  builder_.add(rule, Sequence()
                         .literal("{")
                         .rule(space)
                         .rule(member)
                         .repeated(more, 0, Grammar::unbounded)
                         .rule(space)
                         .literal("}"));
  return rule;
}

/// Members in their order, those that are not required left out or not, with commas between them.
RuleId SchemaCompiler::members_chain(const std::vector<std::pair<RuleId, bool>>& members) {
  const RuleId space = json_.space();
  RuleId after = builder_.rule(Sequence().rule(space));  // what follows when a member came before
  RuleId first = after;                                  // and when none did
  for (std::size_t i = members.size(); i-- > 0;) {
    const auto [member, required] = members[i];
    const RuleId with_comma =
        builder_.rule(Sequence().literal(",").rule(space).rule(member).rule(after));
    const RuleId without_comma = builder_.rule(Sequence().rule(member).rule(after));
    if (!required) {
      builder_.add(with_comma, Sequence().rule(after));
      builder_.add(without_comma, Sequence().rule(first));
    }
    after = with_comma;
    first = without_comma;
  }
  return first;
}

Result<RuleId> SchemaCompiler::object(const json::object& schema) {
  const json::value* properties = schema.if_contains("properties");
  if (properties && !properties->is_object()) return wrong("properties");
  const json::value* required = schema.if_contains("required");
  if (required && !required->is_array()) return wrong("required");
  json::object named = properties ? properties->get_object() : json::object();
  std::vector<std::string> must;
  for (const json::value& name : required ? required->get_array() : json::array()) {
    if (!name.is_string()) return wrong("required");
    must.emplace_back(name.get_string());
    if (!named.contains(must.back())) named[must.back()] = true;
  }
  std::ranges::sort(must);
  const auto is_required = [&](std::string_view name) {
    return std::ranges::binary_search(must, name);
  };
  CRATON_TRY_ASSIGN(const auto least, count(schema, "minProperties"));
  CRATON_TRY_ASSIGN(const auto most, count(schema, "maxProperties"));
  const auto required_count = static_cast<std::size_t>(
      std::ranges::count_if(named, [&](const auto& member) { return is_required(member.key()); }));
  if (least && *least > required_count) return unsupported("minProperties");
  if (most && (*most < named.size() || named.empty())) return unsupported("maxProperties");
  if (named.empty()) return map_of(schema);

  std::vector<std::pair<RuleId, bool>> members;
  for (const auto& [name, value] : named) {
    if (value.is_bool() && !value.get_bool() && !is_required(name)) continue;
    CRATON_TRY_ASSIGN(const RuleId rule, compile(value));
    const RuleId member = builder_.rule(
        Sequence().literal(json::quote(name)).literal(":").rule(json_.space()).rule(rule));
    members.emplace_back(member, is_required(name));
  }
  return builder_.rule(
      Sequence().literal("{").rule(json_.space()).rule(members_chain(members)).literal("}"));
}

Result<RuleId> SchemaCompiler::tuple(const json::object& schema, const json::array& items) {
  CRATON_TRY_ASSIGN(const auto least, count(schema, "minItems"));
  CRATON_TRY_ASSIGN(const auto most, count(schema, "maxItems"));
  if (least && *least > items.size()) return unsupported("minItems");
  const std::size_t size = std::min<std::size_t>(items.size(), most.value_or(Grammar::unbounded));
  Sequence all;
  all.literal("[").rule(json_.space());
  for (std::size_t i = 0; i < size; ++i) {
    CRATON_TRY_ASSIGN(const RuleId item, compile(items[i]));
    if (i > 0) all.literal(",").rule(json_.space());
    all.rule(item);
  }
  all.rule(json_.space()).literal("]");
  return builder_.rule(all);
}

Result<RuleId> SchemaCompiler::array(const json::object& schema) {
  if (const json::value* unique = schema.if_contains("uniqueItems")) {
    if (!unique->is_bool() || unique->get_bool()) return unsupported("uniqueItems");
  }
  const json::value* items = schema.if_contains("items");
  const json::value* prefix = schema.if_contains("prefixItems");
  if (prefix && !prefix->is_array()) return wrong("prefixItems");
  if (prefix && !prefix->get_array().empty()) return tuple(schema, prefix->get_array());
  if (items && items->is_array()) return tuple(schema, items->get_array());
  CRATON_TRY_ASSIGN(const auto least, count(schema, "minItems"));
  CRATON_TRY_ASSIGN(const auto most, count(schema, "maxItems"));
  if (least && most && *least > *most) return wrong("minItems");
  const RuleId space = json_.space();
  const bool none = (most && *most == 0) || (items && items->is_bool() && !items->get_bool());
  if (none && least.value_or(0) > 0) return wrong("items");
  const RuleId empty = builder_.rule(Sequence().literal("[").rule(space).literal("]"));
  if (none) return empty;
  CRATON_TRY_ASSIGN(const RuleId item, items ? compile(*items) : Result<RuleId>(json_.value()));
  const RuleId more = builder_.rule(Sequence().literal(",").rule(space).rule(item));
  const std::uint32_t at_least = least.value_or(0);
  const RuleId rule = builder_.rule(
      Sequence()
          .literal("[")
          .rule(space)
          .rule(item)
          .repeated(more, at_least > 0 ? at_least - 1 : 0, most ? *most - 1 : Grammar::unbounded)
          .rule(space)
          .literal("]"));
  if (at_least == 0) builder_.add(rule, Sequence().rule(empty));
  return rule;
}

/// `format`s that a grammar keeps; all others are annotations.
std::optional<RuleId> SchemaCompiler::known_format(std::string_view format) {
  struct Row {
    std::string_view format;
    std::string_view pattern;
  };
  static constexpr std::string_view date =
      "[0-9]{4}-((01|03|05|07|08|10|12)-(0[1-9]|[12][0-9]|3[01])|(04|06|09|11)-(0[1-9]|[12][0-9]|"
      "30)"
      "|02-(0[1-9]|1[0-9]|2[0-8]))";
  static constexpr std::string_view time =
      "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]"
      ")";
  const std::string both = std::string(date) + "T" + std::string(time);
  const Row rows[] = {{"date", date},
                      {"time", time},
                      {"date-time", both},
                      {"uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"}};
  for (const Row& row : rows) {
    if (row.format != format) continue;
    const Result<RuleId> rule = add_pattern(json_, "^" + std::string(row.pattern) + "$");
    return rule ? std::optional(*rule) : std::nullopt;
  }
  return std::nullopt;
}

Result<RuleId> SchemaCompiler::string(const json::object& schema) {
  const auto quoted = [&](RuleId inside) {
    return builder_.rule(Sequence().literal("\"").rule(inside).literal("\""));
  };
  CRATON_TRY_ASSIGN(const auto least, count(schema, "minLength"));
  CRATON_TRY_ASSIGN(const auto most, count(schema, "maxLength"));
  if (least && most && *least > *most) return wrong("minLength");
  const bool bounded = least.value_or(0) > 0 || most;
  if (const json::value* pattern = schema.if_contains("pattern")) {
    if (!pattern->is_string()) return wrong("pattern");
    if (bounded)
      return refused("'pattern' together with 'minLength' or 'maxLength' is not supported");
    auto inside = add_pattern(json_, pattern->get_string());
    if (!inside) return refused(inside.error().message + " is not supported");
    return quoted(*inside);
  }
  const json::value* format = schema.if_contains("format");
  const auto known =
      format && format->is_string() ? known_format(format->get_string()) : std::optional<RuleId>();
  if (known && bounded) return unsupported("format");
  if (known) return quoted(*known);
  if (!bounded) return json_.string();
  return builder_.rule(
      Sequence()
          .literal("\"")
          .repeated(json_.character(), least.value_or(0), most.value_or(Grammar::unbounded))
          .literal("\""));
}

/// Numbers of as many digits as both bounds have, from one to the other.
RuleId SchemaCompiler::digits_between(std::string from, std::string to) {
  const RuleId rule = builder_.rule();
  if (from.empty()) {
    builder_.add(rule, Sequence());
    return rule;
  }
  const std::size_t rest = from.size() - 1;
  const auto branch = [&](char first, char last, const std::string& low, const std::string& high) {
    if (first > last) return;
    Sequence digits;
    digits.bytes(
        ByteSet::range(static_cast<unsigned char>(first), static_cast<unsigned char>(last)));
    const bool any = low == std::string(rest, '0') && high == std::string(rest, '9');
    if (any) {
      digits.repeated(json_.digit(), static_cast<std::uint32_t>(rest),
                      static_cast<std::uint32_t>(rest));
    } else {
      digits.rule(digits_between(low, high));
    }
    builder_.add(rule, digits);
  };
  const std::string zeros(rest, '0');
  const std::string nines(rest, '9');
  const std::string from_rest = from.substr(1);
  const std::string to_rest = to.substr(1);
  if (from[0] == to[0]) {
    branch(from[0], to[0], from_rest, to_rest);
    return rule;
  }
  branch(from[0], from[0], from_rest, nines);
  branch(static_cast<char>(from[0] + 1), static_cast<char>(to[0] - 1), zeros, nines);
  branch(to[0], to[0], zeros, to_rest);
  return rule;
}

/// Adds the numbers from `from` to `to`, at least 0, behind `sign`; unless `whole`, with decimals
/// up to but not beyond `to`.
void SchemaCompiler::magnitudes(RuleId rule, std::string_view sign, std::int64_t from,
                                std::int64_t to, bool whole) {
  const auto add = [&](std::int64_t low, std::int64_t high, bool decimals) {
    if (low > high) return;
    std::string first = std::to_string(low);
    const std::string last = std::to_string(high);
    while (first.size() <= last.size()) {
      const std::string nines(first.size(), '9');
      Sequence number;
      number.literal(sign).rule(digits_between(first, first.size() < last.size() ? nines : last));
      if (decimals) {
        const RuleId fraction =
            builder_.rule(Sequence().literal(".").repeated(json_.digit(), 1, 15));
        number.optional(fraction);
      }
      builder_.add(rule, number);
      first = "1" + std::string(first.size(), '0');
    }
  };
  if (whole) return add(from, to, false);
  add(from, to - 1, true);
  add(to, to, false);
}

/// Between bounds that are no whole numbers only the whole ones inside, and what lies between them.
Result<RuleId> SchemaCompiler::number(const json::object& schema, bool whole) {
  if (const json::value* multiple = schema.if_contains("multipleOf")) {
    const bool one = multiple->is_number() && multiple->to_number<double>() == 1;
    if (!one) return unsupported("multipleOf");
    whole = true;
  }
  std::int64_t low = -integer_max;
  std::int64_t high = integer_max;
  bool bounded = false;
  bool above_zero = false;
  for (const std::string_view keyword :
       {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
    const json::value* bound = schema.if_contains(keyword);
    if (!bound) continue;
    if (!bound->is_number()) return wrong(keyword);  // the booleans of draft 4 among them
    const auto number = bound->to_number<double>();
    const bool lower = keyword.ends_with("inimum");
    auto nearest = integral(number, lower ? static_cast<double (*)(double)>(std::ceil)
                                          : static_cast<double (*)(double)>(std::floor));
    const bool beyond = std::abs(number) >= static_cast<double>(integer_max);
    if (!nearest && beyond && (number < 0) == lower) continue;  // no bound at all
    if (!nearest) return wrong(keyword);
    const bool exclusive = keyword.starts_with("exclusive");
    if (exclusive && static_cast<double>(*nearest) == number) {
      above_zero = above_zero || (lower && number == 0);
      *nearest += lower ? 1 : -1;
    }
    bounded = true;
    if (lower) low = std::max(low, *nearest);
    if (!lower) high = std::min(high, *nearest);
  }
  if (!bounded) return whole ? json_.integer() : json_.number();
  const RuleId rule = builder_.rule();
  const bool fractions = !whole && above_zero && low == 1 && high >= 1;
  if (fractions) {  // more than 0 and less than 1
    const RuleId zero = builder_.rule(Sequence().literal("0"));
    builder_.add(rule, Sequence()
                           .literal("0.")
                           .repeated(zero, 0, 8)
                           .bytes(ByteSet::range('1', '9'))
                           .repeated(json_.digit(), 0, 7));
  }
  if (low > high) return wrong(schema.contains("maximum") ? "maximum" : "exclusiveMaximum");
  if (high >= 0) magnitudes(rule, "", std::max<std::int64_t>(low, 0), high, whole);
  if (low < 0) magnitudes(rule, "-", std::max<std::int64_t>(-high, 1), -low, whole);
  if (!whole && low < 0 && high >= 0) {  // between -1 and 0
    builder_.add(rule, Sequence().literal("-0.").repeated(json_.digit(), 1, 15));
  }
  return rule;
}

}  // namespace

Result<RuleId> add_schema(JsonGrammar& json, std::string_view schema, SchemaRoot root) {
  if (schema.size() > schema_bytes_max) return refused("it is too large");
  auto document = json::parse(schema);
  if (!document) return refused("it is not JSON: " + document.error().message);
  if (!document->is_object()) return refused("it is not an object");
  SchemaCompiler compiler(json, *document);
  if (root == SchemaRoot::any) return compiler.compile(*document);
  json::object with_type = document->get_object();
  const unsigned types = types_named(with_type);
  if (types && !(types & type_object)) return wrong("type");
  with_type["type"] = "object";
  const json::value whole(std::move(with_type));
  return compiler.compile(whole);
}

}  // namespace craton::engines::llama
