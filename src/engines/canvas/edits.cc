#include "engines/canvas/edits.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace craton::engines::canvas {
namespace {

std::size_t index_of(int x, int y, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(x);
}

/// A place between two pixels of a row or column.
struct Between {
  int first;
  int second;
  int share;  ///< Of the second: 0 to 255.
};

/// Where each of `count` pixels comes from, of `whole`, of which `part` is shown from the middle.
std::vector<Between> places(int count, int whole, double part) {
  std::vector<Between> made;
  const double begin = (whole - part) / 2;
  for (int i = 0; i < count; ++i) {
    const double at = std::clamp(begin + (i + 0.5) * part / count - 0.5, 0.0, whole - 1.0);
    const int first = static_cast<int>(at);
    made.push_back({first, std::min(first + 1, whole - 1), static_cast<int>((at - first) * 256)});
  }
  return made;
}

/// How unlike two colours are: 0 to 765.
int distance(const std::uint8_t* a, const std::uint8_t* b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

std::vector<int> lumas(const Picture& picture) {
  std::vector<int> made;
  made.reserve(picture.rgba.size() / 4);
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) made.push_back(luma(&picture.rgba[i]));
  return made;
}

Box whole_of(const Picture& picture) { return {0, 0, picture.width, picture.height}; }

/// Fills one run of a row that may change, from what stands on both sides of it.
void fill_run(int first, int end, std::uint8_t* row, int width) {
  const bool left = first > 0;
  const bool right = end < width;
  if (!left && !right) return;
  const std::uint8_t* from = row + (left ? first - 1 : end) * 4;
  const std::uint8_t* to = row + (right ? end : first - 1) * 4;
  const int steps = end - first + 1;
  for (int x = first; x < end; ++x) {
    for (int c = 0; c < 4; ++c) {
      row[x * 4 + c] =
          static_cast<std::uint8_t>(mixed(from[c], to[c], 256 * (x - first + 1) / steps));
    }
  }
}

}  // namespace

Picture covering(const Picture& picture, int width, int height) {
  if (picture.width == width && picture.height == height) return picture;
  const double scale = std::min(static_cast<double>(picture.width) / width,
                                static_cast<double>(picture.height) / height);
  const std::vector<Between> columns = places(width, picture.width, width * scale);
  const std::vector<Between> rows = places(height, picture.height, height * scale);
  Picture made{width, height, std::vector<std::uint8_t>(index_of(0, height, width) * 4)};
  std::uint8_t* to = made.rgba.data();
  for (const Between& row : rows) {
    for (const Between& column : columns) {
      const std::uint8_t* a = pixel_at(picture, column.first, row.first);
      const std::uint8_t* b = pixel_at(picture, column.second, row.first);
      const std::uint8_t* c = pixel_at(picture, column.first, row.second);
      const std::uint8_t* d = pixel_at(picture, column.second, row.second);
      for (int i = 0; i < 4; ++i) {
        *to++ = static_cast<std::uint8_t>(
            mixed(mixed(a[i], b[i], column.share), mixed(c[i], d[i], column.share), row.share));
      }
    }
  }
  return made;
}

void blend(const Picture& over, int share, Picture& under) {
  for (std::size_t i = 0; i < under.rgba.size(); ++i) {
    under.rgba[i] = static_cast<std::uint8_t>(mixed(int{under.rgba[i]}, int{over.rgba[i]}, share));
  }
}

Box changed_box(const Mask& mask) {
  int left = mask.width;
  int right = 0;
  int top = mask.height;
  int bottom = 0;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (mask.change[index_of(x, y, mask.width)] == 0) continue;
      left = std::min(left, x);
      right = std::max(right, x + 1);
      top = std::min(top, y);
      bottom = y + 1;
    }
  }
  if (right == 0) return {};
  return {left, top, right - left, bottom - top};
}

Picture masked(const Picture& source, const Picture& made, const Mask& mask, int share) {
  Picture result = source;
  for (std::size_t i = 0; i < mask.change.size(); ++i) {
    const int change = mask.change[i] * share / 255;
    if (change == 0) continue;
    for (std::size_t c = i * 4; c < i * 4 + 4; ++c) {
      result.rgba[c] =
          static_cast<std::uint8_t>(mixed(int{source.rgba[c]}, int{made.rgba[c]}, change));
    }
  }
  return result;
}

Picture filled_in(const Picture& source, const Mask& mask) {
  Picture made = source;
  for (int y = 0; y < mask.height; ++y) {
    const std::uint8_t* change = &mask.change[index_of(0, y, mask.width)];
    for (int x = 0; x < mask.width; ++x) {
      if (change[x] == 0) continue;
      int end = x;
      while (end < mask.width && change[end] != 0) ++end;
      fill_run(x, end, pixel_at(made, 0, y), mask.width);
      x = end;
    }
  }
  return made;
}

Mask mask_of_words(std::string_view words, int width, int height) {
  Numbers numbers(number_of(words));
  const double middle_x = width * numbers.between(35, 65) / 100.0;
  const double middle_y = height * numbers.between(35, 65) / 100.0;
  const double across = std::max(1.0, width * numbers.between(18, 32) / 100.0);
  const double up = std::max(1.0, height * numbers.between(18, 32) / 100.0);
  Mask mask{width, height, std::vector<std::uint8_t>(index_of(0, height, width))};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double right = (x + 0.5 - middle_x) / across;
      const double down = (y + 0.5 - middle_y) / up;
      if (right * right + down * down <= 1) mask.change[index_of(x, y, width)] = 255;
    }
  }
  return mask;
}

void turn(Mask& mask) {
  for (std::uint8_t& change : mask.change) change = static_cast<std::uint8_t>(255 - change);
}

// Flooded from every pixel of the border; each takes with it the colour that its flood began with,
// so that borders of several colours are followed too, and gradients only so far.
void remove_background(Picture& picture) {
  constexpr int alike = 72;
  struct Reached {
    int x;
    int y;
    Rgb began;
  };
  std::vector<bool> seen(picture.rgba.size() / 4);
  std::vector<Reached> open;
  const Box whole = whole_of(picture);
  const auto reach = [&](int x, int y, const Rgb* began) {
    if (x < 0 || y < 0 || x >= whole.width || y >= whole.height) return;
    const std::size_t index = index_of(x, y, whole.width);
    const std::uint8_t* pixel = &picture.rgba[index * 4];
    if (seen[index] || (began && distance(pixel, began->data()) > alike)) return;
    seen[index] = true;
    open.push_back({x, y, began ? *began : Rgb{pixel[0], pixel[1], pixel[2]}});
  };
  for (int x = 0; x < whole.width; ++x) {
    reach(x, 0, nullptr);
    reach(x, whole.height - 1, nullptr);
  }
  for (int y = 0; y < whole.height; ++y) {
    reach(0, y, nullptr);
    reach(whole.width - 1, y, nullptr);
  }
  while (!open.empty()) {
    const Reached at = open.back();
    open.pop_back();
    picture.rgba[index_of(at.x, at.y, whole.width) * 4 + 3] = 0;
    reach(at.x - 1, at.y, &at.began);
    reach(at.x + 1, at.y, &at.began);
    reach(at.x, at.y - 1, &at.began);
    reach(at.x, at.y + 1, &at.began);
  }
}

void follow_edges(const Picture& control, const Rgb& color, int share, Picture& picture) {
  const std::vector<int> light = lumas(control);
  const int width = picture.width;
  for (int y = 1; y + 1 < picture.height; ++y) {
    for (int x = 1; x + 1 < width; ++x) {
      const int* at = &light[index_of(x, y, width)];
      const int* above = at - width;
      const int* below = at + width;
      // Source: the Sobel operator.
      const int across = above[1] + 2 * at[1] + below[1] - above[-1] - 2 * at[-1] - below[-1];
      const int down = below[-1] + 2 * below[0] + below[1] - above[-1] - 2 * above[0] - above[1];
      const int steep = std::abs(across) + std::abs(down);
      if (steep > 60) {
        lay(color, std::min(steep, 256) * share / 256, pixel_at(picture, x, y));
      }
    }
  }
}

void follow_segments(const Picture& control, const Palette& palette, int share, Picture& picture) {
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) {
    const std::size_t shade = static_cast<std::size_t>(luma(&control.rgba[i])) * 5 / 256;
    lay(palette.shapes[shade % palette.shapes.size()], share, &picture.rgba[i]);
  }
}

void follow_light(const Picture& source, std::vector<Rgb> colors, int share, Picture& picture) {
  std::ranges::sort(colors, {}, [](const Rgb& color) { return luma(color.data()); });
  const int steps = static_cast<int>(colors.size()) - 1;
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) {
    const int at = luma(&source.rgba[i]) * steps;  // in 255ths of a step
    const auto first = static_cast<std::size_t>(at / 255);
    const std::size_t second = std::min(first + 1, colors.size() - 1);
    lay(mixed(colors[first], colors[second], at % 255 * 256 / 255), share, &picture.rgba[i]);
  }
}

}  // namespace craton::engines::canvas
