// Shapes: what the values of Bedrock's API must look like, as its service models say.
//
// Read-only data, generated at build time (tables.py).
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace craton::api {

enum class Kind {
  string,
  boolean,
  integer,
  long_,
  float_,
  double_,
  blob,
  timestamp,
  list,
  map,
  structure,
  document,  ///< Any JSON.
};

/// Where in a request a member travels.
enum class Location {
  body,     ///< A member of the JSON object that the body is.
  uri,      ///< A label of the path.
  query,    ///< A parameter of the query string.
  header,   ///< A header field.
  payload,  ///< The body, whole.
};

struct Shape;

struct Member {
  std::string_view name;       ///< "guardrailIdentifier": in texts, and in Input::members.
  std::string_view wire_name;  ///< "X-Amzn-Bedrock-GuardrailIdentifier"
  const Shape* shape;
  Location location;
  bool required;
};

struct Shape {
  std::string_view name;
  Kind kind;
  /// Bounds, inclusive: of a number's value, of a string's code points, of a blob's bytes, of the
  /// items of a list or map.
  std::optional<double> min;
  std::optional<double> max;
  int pattern;                               ///< Index in patterns(); -1: none.
  std::span<const std::string_view> values;  ///< An enum's, in alphabetical order.
  std::span<const Member> members;           ///< A structure's.
  const Shape* item;                         ///< A list's items, a map's values.
  const Shape* key;                          ///< A map's keys.
  bool is_union;                             ///< Exactly one member is set.
  bool is_sensitive;                         ///< Its value is not repeated in messages.
  bool is_event_stream;
};

}  // namespace craton::api
