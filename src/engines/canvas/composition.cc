#include "engines/canvas/composition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace craton::engines::canvas {
namespace {

Picture empty_picture(int width, int height) {
  return {width, height,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width) *
                                    static_cast<std::size_t>(height) * 4)};
}

/// From one colour at the top to another at the bottom, and a little from left to right.
void paint_sky(const Palette& palette, int lean, Picture& picture) {
  for (int y = 0; y < picture.height; ++y) {
    const Rgb left = mixed(palette.top, palette.bottom, 256 * y / picture.height);
    const Rgb right =
        mixed(palette.top, palette.bottom, std::clamp(256 * y / picture.height + lean, 0, 256));
    std::array<std::int32_t, 3> value{};
    std::array<std::int32_t, 3> step{};
    for (std::size_t c = 0; c < 3; ++c) {
      value[c] = left[c] << 16;
      step[c] = ((int{right[c]} - int{left[c]}) << 16) / picture.width;
    }
    std::uint8_t* pixel = pixel_at(picture, 0, y);
    for (int x = 0; x < picture.width; ++x, pixel += 4) {
      for (std::size_t c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(value[c] >> 16);
        value[c] += step[c];
      }
      pixel[3] = 255;
    }
  }
}

/// Lays a colour over what lies in one row between two places, whose ends it covers in part.
void lay_span(float left, float right, int y, const Rgb& color, int share, Picture& picture) {
  left = std::max(left, 0.0F);
  right = std::min(right, static_cast<float>(picture.width));
  if (left >= right) return;
  const int first = static_cast<int>(left);
  const int last = std::min(static_cast<int>(right), picture.width - 1);
  std::uint8_t* pixel = pixel_at(picture, first, y);
  for (int x = first; x <= last; ++x, pixel += 4) {
    const float covered =
        std::min(right, static_cast<float>(x) + 1) - std::max(left, static_cast<float>(x));
    lay(color, covered >= 1 ? share : static_cast<int>(static_cast<float>(share) * covered), pixel);
  }
}

struct Disc {
  float x;
  float y;
  float radius;
};

void lay_disc(const Disc& disc, const Rgb& color, int share, Picture& picture) {
  const int first = std::max(0, static_cast<int>(disc.y - disc.radius));
  const int last = std::min(picture.height - 1, static_cast<int>(disc.y + disc.radius));
  for (int y = first; y <= last; ++y) {
    const float up = static_cast<float>(y) + 0.5F - disc.y;
    const float half = disc.radius * disc.radius - up * up;
    if (half <= 0) continue;
    const float across = std::sqrt(half);
    lay_span(disc.x - across, disc.x + across, y, color, share, picture);
  }
}

/// Everything below a line that rises and falls. `heights`: of the line above each column, in
/// 256ths of a pixel from the top.
void lay_hill(const std::vector<int>& heights, const Rgb& color, Picture& picture) {
  const int first = std::max(0, *std::ranges::min_element(heights) >> 8);
  for (int y = first; y < picture.height; ++y) {
    std::uint8_t* pixel = pixel_at(picture, 0, y);
    const int below = (y + 1) << 8;
    for (const int height : heights) {
      lay(color, std::clamp(below - height, 0, 256), pixel);
      pixel += 4;
    }
  }
}

/// Two waves over one another. `level`: of its middle, from the top; `swing`: how far it goes from
/// there; both in pixels.
std::vector<int> wave(int width, float level, float swing, Numbers& numbers) {
  constexpr float turn = 6.2831853F;
  const auto phase = [&numbers] { return static_cast<float>(numbers.upto(1023)) / 1023 * turn; };
  const float first = phase();
  const float second = phase();
  const float length = static_cast<float>(numbers.between(60, 160)) / 100;
  std::vector<int> heights(static_cast<std::size_t>(width));
  for (int x = 0; x < width; ++x) {
    const float at = static_cast<float>(x) / static_cast<float>(width) * turn * length;
    const float height =
        level + swing * (0.7F * std::sin(at + first) + 0.3F * std::sin(at * 2.3F + second));
    heights[static_cast<std::size_t>(x)] = static_cast<int>(std::max(height, 0.0F) * 256);
  }
  return heights;
}

const Rgb& shape_color(const Palette& palette, int index) {
  return palette.shapes[static_cast<std::size_t>(index) % palette.shapes.size()];
}

Disc chosen_disc(const Picture& picture, int least, int most, Numbers& numbers) {
  const auto side = static_cast<float>(std::min(picture.width, picture.height));
  const auto part = [&numbers](int whole) {
    return static_cast<float>(whole) * static_cast<float>(numbers.between(8, 92)) / 100;
  };
  const float x = part(picture.width);
  const float y = part(picture.height);
  return {x, y, side * static_cast<float>(numbers.between(least, most)) / 100};
}

/// A sun behind hills.
void paint_hills(const Palette& palette, Numbers& numbers, Picture& picture) {
  Disc sun = chosen_disc(picture, 9, 17, numbers);
  sun.y *= 0.6F;
  lay_disc({sun.x, sun.y, sun.radius * 1.35F}, shape_color(palette, 0), 70, picture);
  lay_disc(sun, shape_color(palette, 0), 235, picture);
  const auto height = static_cast<float>(picture.height);
  const int layers = numbers.between(2, 3);
  for (int i = 0; i < layers; ++i) {
    const float level =
        height * (0.5F + 0.34F * static_cast<float>(i) / static_cast<float>(layers));
    lay_hill(wave(picture.width, level, height * 0.08F, numbers),
             mixed(shape_color(palette, i + 1), palette.bottom, 110 - 50 * i), picture);
  }
}

void paint_discs(const Palette& palette, Numbers& numbers, Picture& picture) {
  const int count = numbers.between(5, 8);
  for (int i = 0; i < count; ++i) {
    const Disc disc = chosen_disc(picture, 6, 24, numbers);
    lay_disc(disc, shape_color(palette, i), numbers.between(110, 215), picture);
  }
}

/// Columns of different heights on a ground, as a town has them.
void paint_town(const Palette& palette, Numbers& numbers, Picture& picture) {
  Disc moon = chosen_disc(picture, 5, 9, numbers);
  moon.y *= 0.4F;
  lay_disc(moon, shape_color(palette, 0), 230, picture);
  const int houses = numbers.between(7, 12);
  for (int i = 0; i < houses; ++i) {
    const int left = picture.width * i / houses;
    const int right = picture.width * (i + 1) / houses;
    const int top = picture.height * numbers.between(30, 75) / 100;
    const Rgb color = mixed(shape_color(palette, i + 1), palette.top, numbers.between(20, 120));
    for (int y = top; y < picture.height; ++y) {
      lay_span(static_cast<float>(left), static_cast<float>(right), y, color, 245, picture);
    }
  }
}

constexpr std::array motifs{paint_hills, paint_discs, paint_town};

template <class Change>
void change_pixels(Picture& picture, Change change) {
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) change(&picture.rgba[i]);
}

/// Away from gray, or towards it. `share`: 256 changes nothing.
void saturate(int share, Picture& picture) {
  change_pixels(picture, [share](std::uint8_t* pixel) {
    const int gray = luma(pixel);
    for (int c = 0; c < 3; ++c) {
      pixel[c] = static_cast<std::uint8_t>(std::clamp(mixed(gray, pixel[c], share), 0, 255));
    }
  });
}

/// Four light shades on paper, for lines of ink to be drawn on.
void to_paper(Picture& picture) {
  constexpr Rgb paper{250, 247, 238};
  constexpr Rgb gray{176, 172, 166};
  change_pixels(picture, [&](std::uint8_t* pixel) {
    const Rgb shade = mixed(gray, paper, luma(pixel) / 64 * 256 / 3);
    std::ranges::copy(shade, pixel);
  });
}

void flatten(Picture& picture) {
  change_pixels(picture, [](std::uint8_t* pixel) {
    for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(pixel[c] / 43 * 51);
  });
}

/// Squares of one colour each: their middle's.
void into_blocks(Picture& picture) {
  const int side = std::max(1, std::min(picture.width, picture.height) / 64);
  for (int y = 0; y < picture.height; ++y) {
    const int from_y = std::min(y / side * side + side / 2, picture.height - 1);
    if (y / side * side != y) {  // the first row of its squares has them all
      std::copy_n(pixel_at(picture, 0, y / side * side), picture.width * 4,
                  pixel_at(picture, 0, y));
      continue;
    }
    for (int x = 0; x < picture.width; ++x) {
      const int from_x = std::min(x / side * side + side / 2, picture.width - 1);
      const std::uint8_t* from = pixel_at(std::as_const(picture), from_x, from_y);
      std::copy_n(from, 4, pixel_at(picture, x, y));
    }
  }
}

}  // namespace

Picture composed(int width, int height, const Palette& palette, Numbers& numbers) {
  Picture picture = empty_picture(width, height);
  paint_sky(palette, numbers.between(-60, 60), picture);
  const auto paint = motifs[static_cast<std::size_t>(numbers.upto(motifs.size() - 1))];
  paint(palette, numbers, picture);
  return picture;
}

void treat(Treatment treatment, Picture& picture) {
  switch (treatment) {
    case Treatment::none: return;
    case Treatment::ink: return to_paper(picture);
    case Treatment::blocks: return into_blocks(picture);
    case Treatment::flat: return flatten(picture);
    case Treatment::muted: return saturate(140, picture);
    case Treatment::vivid: return saturate(360, picture);
  }
}

void lay_panel(const Box& box, const Rgb& color, int share, Picture& picture) {
  const int radius = std::min({box.width, box.height, 64}) / 4;
  for (int y = std::max(0, box.y); y < std::min(box.y + box.height, picture.height); ++y) {
    const int from_edge = std::min(y - box.y, box.y + box.height - 1 - y);
    float inset = 0;
    if (from_edge < radius) {
      const float up = static_cast<float>(radius) - static_cast<float>(from_edge) - 0.5F;
      const float whole = static_cast<float>(radius);
      inset = whole - std::sqrt(std::max(0.0F, whole * whole - up * up));
    }
    lay_span(static_cast<float>(box.x) + inset, static_cast<float>(box.x + box.width) - inset, y,
             color, share, picture);
  }
}

}  // namespace craton::engines::canvas
