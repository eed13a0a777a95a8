// Text that goes into a header of HTTP, or into a line of a log, as it is.
#pragma once

#include <algorithm>
#include <string_view>

namespace craton {

/// Some text, without control characters.
inline bool is_one_line(std::string_view text) {
  return !text.empty() &&
         std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace craton
