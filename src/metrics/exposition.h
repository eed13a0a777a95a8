// Exposition: what a page of metrics says, read. Takes both forms that page.h writes, and what
// other programs write in them.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace craton::metrics {

inline constexpr std::size_t page_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t labels_max = 64;  ///< Of one sample.

struct Sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  ///< In the page's order.
  double value = 0;

  /// The label's value; empty when there is none of that name.
  std::string_view label(std::string_view name) const;
};

/// What a page declares of a metric.
struct Declared {
  std::string name;
  std::string type;  ///< "counter"; empty when the page does not say.
  std::string help;
};

struct Exposition {
  std::vector<Declared> declared;
  std::vector<Sample> samples;  ///< In the page's order.
};

/// Fails with `validation`; the message names the line and what is wrong with it.
Result<Exposition> read_page(std::string_view text);

}  // namespace craton::metrics
