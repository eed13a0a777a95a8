// Members of JSON objects that may be absent, null, or something else altogether.
#pragma once

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <string_view>

namespace craton::engines::upstream {

/// Empty when it is no text.
inline std::string_view text_member(const boost::json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  return member && member->is_string() ? std::string_view(member->get_string())
                                       : std::string_view();
}

/// Null when it is no object.
inline const boost::json::object* object_member(const boost::json::object& object,
                                                std::string_view name) {
  const auto* member = object.if_contains(name);
  return member ? member->if_object() : nullptr;
}

/// Null when it is no array.
inline const boost::json::array* array_member(const boost::json::object& object,
                                              std::string_view name) {
  const auto* member = object.if_contains(name);
  return member ? member->if_array() : nullptr;
}

/// A count of something: from 0 up; 0 when it is no number.
inline int count_member(const boost::json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  if (!member || !member->is_number()) return 0;
  const double number = member->to_number<double>();
  constexpr double most = std::numeric_limits<int>::max();
  return number > 0 ? static_cast<int>(std::min(number, most)) : 0;
}

}  // namespace craton::engines::upstream
