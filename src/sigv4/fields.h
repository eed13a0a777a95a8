// Cutting header and query text into parts.
#pragma once

#include <algorithm>
#include <string_view>

namespace craton::sigv4 {

/// Without the blanks around it.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
  return text.substr(0, text.find_last_not_of(blank) + 1);
}

/// Takes what is before the first `separator` off `text`, and the separator with it.
inline std::string_view take_until(char separator, std::string_view& text) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace craton::sigv4
