// Members of an input whose shapes the API model has already checked.
//
// No I/O.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <string_view>

#include "base/json.h"

namespace craton::converse {

/// The text of that member; empty when it is absent.
inline std::string_view text_member(const json::object& members, std::string_view name) {
  const json::value* member = members.if_contains(name);
  return member && member->is_string() ? std::string_view(member->get_string())
                                       : std::string_view();
}

/// The structure, map or object of that member; null when it is absent.
inline const json::object* object_member(const json::object& members, std::string_view name) {
  const json::value* member = members.if_contains(name);
  return member ? member->if_object() : nullptr;
}

/// The items of that member; none when it is absent.
inline const json::array& array_member(const json::object& members, std::string_view name) {
  static const json::array none;
  const json::value* member = members.if_contains(name);
  const json::array* items = member ? member->if_array() : nullptr;
  return items ? *items : none;
}

/// A union's one member.
struct UnionMember {
  std::string_view name;
  const json::value& value;

  const json::object& object() const { return value.get_object(); }
};

inline UnionMember member_of(const json::value& value) {
  const auto& member = *value.get_object().begin();
  return {member.key(), member.value()};
}

}  // namespace craton::converse
