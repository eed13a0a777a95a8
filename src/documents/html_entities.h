// HTML's named character references as a table, made at build time by html_entities.py.
#pragma once

#include <span>
#include <string_view>

namespace craton::documents {

struct HtmlEntity {
  std::string_view name;  ///< Without the ampersand; most, not all, end in a semicolon.
  std::string_view text;  ///< UTF-8
};

inline constexpr std::size_t html_entity_name_max = 32;  ///< Bytes of the longest name.

/// Sorted by name.
extern const std::span<const HtmlEntity> html_entities;

}  // namespace craton::documents
