// Values as they are written in a JSON text, for messages that repeat them: a parser makes 1.50 and
// 1.5 one number, and an integer of thirty digits a floating-point one.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace craton::families {

/// From a value to one that it holds.
struct Step {
  std::string_view key;   ///< Of an object's member; empty data() for an array's item.
  std::size_t index = 0;  ///< Of an array's item.
};

/// The text of the value at the end of `path`; of several members with one name, the last one's.
/// `json` is valid JSON and holds such a value. The view lives as long as `json`.
std::string_view value_text(std::string_view json, std::span<const Step> path);

}  // namespace craton::families
