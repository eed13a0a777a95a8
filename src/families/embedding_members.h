// What the families of embedding models read alike.
//
// No I/O.
#pragma once

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "families/members.h"
#include "families/schema.h"

namespace craton::families {

/// A number that may be one of few. Fails as a schema's enum does; `place` is "#/dimensions".
inline Result<int> one_of(const json::object& members, std::string_view name,
                          std::span<const int> values, int otherwise, std::string_view place) {
  const std::optional<int> number = integer_member(members, name);
  if (!number) return otherwise;
  if (std::ranges::find(values, *number) != values.end()) return *number;
  return violation(std::string(place) + ": " + json::to_text(*members.if_contains(name)) +
                   " is not a valid enum value");
}

/// What becomes of a text that is too long, by the words of one provider.
struct TruncationWord {
  std::string_view word;
  Truncation truncation;
};

inline Truncation truncation_of(std::string_view word, std::span<const TruncationWord> words) {
  const auto row = std::ranges::find(words, word, &TruncationWord::word);
  return row == words.end() ? Truncation::refused : row->truncation;
}

}  // namespace craton::families
