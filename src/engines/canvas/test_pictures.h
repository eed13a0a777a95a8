// Pictures for tests. For tests only.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

#include "conversation/drawing.h"
#include "media/picture_encode.h"

namespace craton::engines::canvas {

/// A dark disc on a light ground.
inline Picture disc_on_ground(int width, int height) {
  Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int right = 2 * x - width;
      const int down = 2 * y - height;
      const int side = width < height ? width : height;
      const bool inside = right * right + down * down < side * side / 4;
      for (const int value : {inside ? 40 : 230, inside ? 60 : 220, inside ? 120 : 200, 255})
        picture.rgba.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return picture;
}

/// The left half may change.
inline Mask left_half(int width, int height) {
  Mask mask{width, height, {}};
  for (int i = 0; i < width * height; ++i) mask.change.push_back(i % width < width / 2 ? 255 : 0);
  return mask;
}

/// Leaves a picture for people to look at, where CRATON_TEST_PICTURES names a folder.
inline void show(const Picture& picture, const std::string& name) {
  const char* folder = std::getenv("CRATON_TEST_PICTURES");
  if (!folder) return;
  std::ofstream file(std::string(folder) + "/" + name + ".png", std::ios::binary);
  file << media::encode_picture(picture, media::ImageFormat::png);
}

}  // namespace craton::engines::canvas
