// A View as lines of text for a terminal, or as JSON. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "monitor/view.h"

namespace craton::monitor {

struct Style {
  int width = 80;  ///< Columns.
  bool colour = false;
  bool unicode = true;  ///< Blocks and dots beyond ASCII.
};

/// Lines of at most `style.width` columns each, without line ends. Those at the end matter least.
std::vector<std::string> draw(const View& view, const Style& style);

/// The beginning of `text` that takes `width` columns at most.
std::string clipped(std::string_view text, int width);

/// Columns that `text`, UTF-8, takes; escape sequences of colours take none.
int columns_of(std::string_view text);

/// One JSON object on one line.
std::string json_of(const View& view);

}  // namespace craton::monitor
