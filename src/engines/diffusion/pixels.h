// Pictures of any size for a model that knows multiples of 64 alone.
//
//      wanted 100 x 60                drawn 128 x 64
//   +----------------+            +--------------------+
//   |     source     |  framed()  | edge repeated ...  |
//   |                | ─────────► | .. | source | ..   |
//   +----------------+            +--------------------+
//           ▲                               │ draw
//           └────────── cut_out() ◄─────────┘
//
// A picture is drawn on the next larger frame, and its middle cut out: nothing is stretched, and a
// source stays on its pixels.
//
// No I/O, no globals.
#pragma once

#include <cstdint>
#include <string>

#include "conversation/drawing.h"

namespace craton::engines::diffusion {

struct Size {
  int width = 0;
  int height = 0;

  friend bool operator==(const Size&, const Size&) = default;
};

/// The least frame that holds `size`: both sides multiples of 64.
Size frame_of(Size size);

/// `picture` of another size: the mean of the pixels that each new one covers, or what lies between
/// the two nearest where it grows. Both sizes are positive.
Picture scaled(const Picture& picture, Size size);
Mask scaled(const Mask& mask, Size size);

/// The picture in the middle of a frame, as RGB bytes on white; what is around repeats its edge.
std::string framed(const Picture& picture, Size frame);

/// The same of a mask: a byte a pixel.
std::string framed(const Mask& mask, Size frame);

/// The middle of a frame of RGB bytes, opaque.
Picture cut_out(const std::string& rgb, Size frame, Size size);

/// `drawn` where the mask says that it may change, `source` where not; all of one size.
Picture composed(const Picture& source, const Picture& drawn, const Mask& mask);

}  // namespace craton::engines::diffusion
