// What tables.py generates beside the operations, for this floor alone.
#pragma once

#include <span>
#include <string_view>

#include "api/operation.h"
#include "api/shapes.h"

namespace craton::api {

/// One part of a URI template, between slashes.
struct Segment {
  std::string_view text;  ///< A literal, or the label's name.
  bool is_label;
};

struct Route {
  const Operation* operation;
  std::span<const Segment> segments;  ///< At least one; the first is a literal.
};

/// One row an operation, sorted by method, then by first segment.
std::span<const Route> routes();

struct Pattern {
  std::string_view text;        ///< As the service models print it.
  std::string_view expression;  ///< The same language in RE2's syntax.
};

/// What Shape::pattern counts.
std::span<const Pattern> patterns();

/// Every shape that an input can hold.
std::span<const Shape> all_shapes();

}  // namespace craton::api
