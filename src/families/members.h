// Members of a body that its schema has already allowed: what read_body() gave, as C++ values.
//
// Each returns nothing when the member is absent. No I/O.
#pragma once

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace craton::families {

inline std::string_view text_member(const json::object& members, std::string_view name) {
  const json::value* member = members.if_contains(name);
  return member ? std::string_view(member->get_string()) : std::string_view();
}

inline std::optional<double> number_member(const json::object& members, std::string_view name) {
  const json::value* member = members.if_contains(name);
  return member ? std::optional(member->to_number<double>()) : std::nullopt;
}

/// What no int can hold becomes the nearest that one can.
inline std::optional<int> integer_member(const json::object& members, std::string_view name) {
  const std::optional<double> number = number_member(members, name);
  if (!number) return std::nullopt;
  using limits = std::numeric_limits<int>;
  return static_cast<int>(std::clamp<double>(*number, limits::min(), limits::max()));
}

inline std::vector<std::string> texts_member(const json::object& members, std::string_view name) {
  std::vector<std::string> texts;
  if (const json::value* member = members.if_contains(name)) {
    for (const json::value& text : member->get_array()) texts.emplace_back(text.get_string());
  }
  return texts;
}

/// The low 32 bits of any integer.
inline std::optional<std::uint32_t> seed_member(const json::object& members,
                                                std::string_view name) {
  const json::value* member = members.if_contains(name);
  if (!member) return std::nullopt;
  if (member->is_int64()) return static_cast<std::uint32_t>(member->get_int64());
  if (member->is_uint64()) return static_cast<std::uint32_t>(member->get_uint64());
  return std::uint32_t{0};  // past 64 bits
}

/// True for a member that asks for something: present, and neither null, false, zero nor empty.
inline bool asks(const json::object& members, std::string_view name) {
  const json::value* member = members.if_contains(name);
  if (!member) return false;
  switch (member->kind()) {
    case boost::json::kind::null: return false;
    case boost::json::kind::bool_: return member->get_bool();
    case boost::json::kind::string: return !member->get_string().empty();
    case boost::json::kind::array: return !member->get_array().empty();
    case boost::json::kind::object: return !member->get_object().empty();
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: break;
  }
  return member->to_number<double>() != 0;
}

/// The refusal of something that is valid at the provider and not to be had here.
inline Error not_supported(std::string_view field, std::string_view remedy) {
  return {ErrorCode::validation, std::string(field) + ": not supported by this server yet. " +
                                     std::string(remedy) + " and try again."};
}

}  // namespace craton::families
