// Patterns in which `*` stands for any text, also none: "anthropic.claude-3-*".
#pragma once

#include <cstddef>
#include <string_view>

namespace craton {

/// Whether the whole of `text` fits `pattern`. Takes at most pattern.size() * text.size() steps.
inline bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = pattern.npos, retry = 0;  // the last `*`, and where its text may end next
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace craton
