// A picture of a prompt: a gradient, and shapes on it, chosen by numbers.
//
// No I/O, no globals.
#pragma once

#include "conversation/drawing.h"
#include "engines/canvas/palette.h"

namespace craton::engines::canvas {

/// A part of a picture, in pixels.
struct Box {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

/// An opaque picture of `width` x `height` pixels, both at least 1.
Picture composed(int width, int height, const Palette& palette, Numbers& numbers);

/// Changes every pixel.
void treat(Treatment treatment, Picture& picture);

/// Lays a colour over a part, with round corners. `share`: 256 hides what is there.
void lay_panel(const Box& box, const Rgb& color, int share, Picture& picture);

/// Lays a colour over one pixel, which lies within the picture. `share`: 0 to 256.
inline void lay(const Rgb& color, int share, std::uint8_t* pixel) {
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<std::uint8_t>(
        mixed(int{pixel[c]}, int{color[static_cast<std::size_t>(c)]}, share));
  }
}

inline std::uint8_t* pixel_at(Picture& picture, int x, int y) {
  return &picture.rgba[(static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                        static_cast<std::size_t>(x)) *
                       4];
}
inline const std::uint8_t* pixel_at(const Picture& picture, int x, int y) {
  return &picture.rgba[(static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                        static_cast<std::size_t>(x)) *
                       4];
}

}  // namespace craton::engines::canvas
