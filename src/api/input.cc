// An operation's input from the parts of its request, in the types of its shape.
//
// Source of the protocol: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "api/member_path.h"
#include "api/operation.h"
#include "api/shapes.h"
#include "api/timestamp.h"
#include "api/uri.h"
#include "api/validator.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"

namespace craton::api {
namespace {

/// What AWS's framework calls a JSON value and a shape that do not fit each other. The sentences of
/// these errors are not known for Bedrock; these are those of AWS's other JSON services.
std::string_view name_of(const json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return "NULL_VALUE";
    case boost::json::kind::bool_: return value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE";
    case boost::json::kind::string: return "STRING_VALUE";
    case boost::json::kind::array: return "START_ARRAY";
    case boost::json::kind::object: return "START_OBJECT";
    default: return "NUMBER_VALUE";
  }
}

struct KindName {
  Kind kind;
  std::string_view name;
};
constexpr KindName kind_names[] = {
    {Kind::string, "a String"}, {Kind::boolean, "a Boolean"},     {Kind::integer, "an Integer"},
    {Kind::long_, "a Long"},    {Kind::float_, "a Float"},        {Kind::double_, "a Double"},
    {Kind::blob, "a Blob"},     {Kind::timestamp, "a Timestamp"}, {Kind::list, "a List"},
    {Kind::map, "a Map"},       {Kind::structure, "a Structure"}, {Kind::document, "a Document"},
};

Error not_convertible(std::string_view found, const Shape& shape, const MemberPath& at) {
  const auto* row = std::ranges::find(kind_names, shape.kind, &KindName::kind);
  const std::string place = at.is_input() ? "/" : at.text();
  return {ErrorCode::serialization, std::string(found) + " at '" + place +
                                        "' can not be converted to " + std::string(row->name)};
}

struct Range {
  double least;
  double most;
};

/// The integers that each kind holds.
std::optional<Range> integer_range(Kind kind) {
  if (kind == Kind::integer) return Range{-2147483648.0, 2147483647.0};
  if (kind == Kind::long_) return Range{-9223372036854775808.0, 9223372036854774784.0};
  return std::nullopt;
}

Result<json::value> integer_of(const Shape& shape, const json::value& value, const MemberPath& at) {
  const double number = value.to_number<double>();
  const Range range = *integer_range(shape.kind);
  const bool is_whole = std::isfinite(number) && number == std::floor(number);
  if (!is_whole || number < range.least || number > range.most) {
    return not_convertible("NUMBER_VALUE", shape, at);
  }
  return json::value(static_cast<std::int64_t>(number));
}

Result<json::value> converted(const Shape& shape, json::value&& value, const MemberPath& at);

Result<json::value> list_of(const Shape& shape, json::array& items, const MemberPath& at) {
  for (json::value& item : items) {
    if (item.is_null()) continue;
    const MemberPath path(at, static_cast<std::size_t>(&item - items.data()) + 1);
    CRATON_TRY_ASSIGN(item, converted(*shape.item, std::move(item), path));
  }
  return json::value(std::move(items));
}

Result<json::value> map_of(const Shape& shape, json::object& entries, const MemberPath& at) {
  json::object converted_entries;
  for (auto& [key, entry] : entries) {
    if (entry.is_null()) continue;
    CRATON_TRY_ASSIGN(converted_entries[key],
                      converted(*shape.item, std::move(entry), MemberPath(at, key)));
  }
  return json::value(std::move(converted_entries));
}

/// The members of `shape` that travel in the body. Null is as good as absent, and members that the
/// shape does not know are dropped: newer clients send them.
Result<void> add_members(const Shape& shape, json::object& body, const MemberPath& at,
                         json::object& members) {
  for (const Member& member : shape.members) {
    if (member.location != Location::body) continue;
    json::value* value = body.if_contains(member.wire_name);
    if (!value || value->is_null()) continue;
    CRATON_TRY_ASSIGN(members[member.name],
                      converted(*member.shape, std::move(*value), MemberPath(at, member.name)));
  }
  return {};
}

Result<json::value> structure_of(const Shape& shape, json::object& body, const MemberPath& at) {
  json::object members;
  CRATON_TRY(add_members(shape, body, at, members));
  return json::value(std::move(members));
}

/// `value`, of the body's JSON, in the type of `shape`. Taken, not copied: images are in it.
Result<json::value> converted(const Shape& shape, json::value&& value, const MemberPath& at) {
  switch (shape.kind) {
    case Kind::document: return std::move(value);
    case Kind::structure:
      if (value.is_object()) return structure_of(shape, value.get_object(), at);
      break;
    case Kind::map:
      if (value.is_object()) return map_of(shape, value.get_object(), at);
      break;
    case Kind::list:
      if (value.is_array()) return list_of(shape, value.get_array(), at);
      break;
    case Kind::string:
      if (value.is_string()) return std::move(value);
      break;
    case Kind::blob:
      if (value.is_string() && is_base64(value.get_string())) return std::move(value);
      break;
    case Kind::timestamp:
      if (value.is_number()) return std::move(value);
      if (value.is_string() && is_date_time(value.get_string())) return std::move(value);
      break;
    case Kind::boolean:
      if (value.is_bool()) return std::move(value);
      break;
    case Kind::integer:
    case Kind::long_:
      if (value.is_number()) return integer_of(shape, value, at);
      break;
    case Kind::float_:
    case Kind::double_:
      if (value.is_number()) return std::move(value);
      break;
  }
  return not_convertible(name_of(value), shape, at);
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The text of a label, parameter or header in the type of `member`'s shape.
Result<json::value> converted_text(const Member& member, std::string_view text) {
  const Shape& shape = *member.shape;
  const MemberPath input;
  const MemberPath place(input, member.name);
  switch (shape.kind) {
    case Kind::string:
    case Kind::blob: return json::value(text);
    case Kind::boolean:
      if (text == "true" || text == "false") return json::value(text == "true");
      break;
    case Kind::timestamp:
      if (is_date_time(text)) return json::value(text);
      break;
    case Kind::integer:
    case Kind::long_:
    case Kind::float_:
    case Kind::double_:
      if (const auto number = number_in(text)) {
        return integer_range(shape.kind) ? integer_of(shape, json::value(*number), place)
                                         : Result<json::value>(json::value(*number));
      }
      break;
    default: break;
  }
  return not_convertible("STRING_VALUE", shape, place);
}

Result<void> add_text(const Member& member, std::string_view text, json::object& members) {
  if (member.shape->kind != Kind::list) {
    if (members.contains(member.name)) return {};  // of several, the first
    CRATON_TRY_ASSIGN(members[member.name], converted_text(member, text));
    return {};
  }
  const Member item{member.name, member.wire_name, member.shape->item, member.location, false};
  CRATON_TRY_ASSIGN(json::value element, converted_text(item, text));
  if (!members.contains(member.name)) members[member.name] = json::array();
  members[member.name].get_array().push_back(std::move(element));
  return {};
}

/// One place where members travel: adds what of them is in `raw`.
class Reader {
 public:
  Reader(const Match& match, const RawInput& raw)
      : match_(match), raw_(raw), query_(query_of(raw.target)) {}

  Result<void> read(const Member& member, json::object& members) const {
    switch (member.location) {
      case Location::uri: return read_from(match_.labels, member, members);
      case Location::query: return read_from(query_, member, members);
      case Location::header: {
        const std::string_view text = raw_.header(raw_.context, member.wire_name);
        if (text.empty()) return {};
        return add_text(member, mended_utf8(text), members);
      }
      default: return {};
    }
  }

 private:
  template <class Pairs>
  static Result<void> read_from(const Pairs& pairs, const Member& member, json::object& members) {
    for (const auto& [name, text] : pairs) {
      if (name == member.wire_name) CRATON_TRY(add_text(member, text, members));
    }
    return {};
  }

  const Match& match_;
  const RawInput& raw_;
  const std::vector<std::pair<std::string, std::string>> query_;
};

Result<void> add_body(const Shape& shape, std::string_view body, json::object& members) {
  const bool has_body = std::ranges::any_of(
      shape.members, [](const Member& member) { return member.location == Location::body; });
  if (!has_body || body.empty()) return {};
  CRATON_TRY_ASSIGN(json::value value, json::parse(body));
  json::object* object = value.if_object();
  if (!object) return not_convertible(name_of(value), shape, MemberPath());
  return add_members(shape, *object, MemberPath(), members);
}

}  // namespace

Result<Input> parse_input(const Match& match, const RawInput& raw) {
  const Shape& shape = *match.operation->input;
  Input input;
  const Reader reader(match, raw);
  for (const Member& member : shape.members) {
    if (member.location == Location::payload) input.payload = raw.body;
    CRATON_TRY(reader.read(member, input.members));
  }
  const bool is_payload = std::ranges::any_of(
      shape.members, [](const Member& member) { return member.location == Location::payload; });
  if (!is_payload) CRATON_TRY(add_body(shape, raw.body, input.members));
  CRATON_TRY(validate(*match.operation, input.members));
  return input;
}

}  // namespace craton::api
