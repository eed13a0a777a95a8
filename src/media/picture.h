// Picture and Mask: pixels, as whoever draws takes and gives them.
//
// Plain values: no I/O, no threads.
#pragma once

#include <cstdint>
#include <vector>

namespace craton::media {

/// Rows from the top, pixels from the left.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;  ///< width x height x 4; alpha is not multiplied in.

  friend bool operator==(const Picture&, const Picture&) = default;
};

/// Which pixels of a picture may change.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> change;  ///< width x height; 255: wholly, 0: not at all.

  friend bool operator==(const Mask&, const Mask&) = default;
};

}  // namespace craton::media
