#include "engines/canvas/palette.h"

#include <algorithm>

namespace craton::engines::canvas {
namespace {

struct Style {
  std::string_view name;
  Treatment treatment;
};

// Stability's styles, then Nova Canvas's.
constexpr std::array styles{
    Style{"3d-model", Treatment::vivid},
    Style{"analog-film", Treatment::muted},
    Style{"anime", Treatment::flat},
    Style{"cinematic", Treatment::muted},
    Style{"comic-book", Treatment::flat},
    Style{"digital-art", Treatment::vivid},
    Style{"enhance", Treatment::vivid},
    Style{"fantasy-art", Treatment::vivid},
    Style{"isometric", Treatment::flat},
    Style{"line-art", Treatment::ink},
    Style{"low-poly", Treatment::blocks},
    Style{"modeling-compound", Treatment::vivid},
    Style{"neon-punk", Treatment::vivid},
    Style{"origami", Treatment::flat},
    Style{"photographic", Treatment::muted},
    Style{"pixel-art", Treatment::blocks},
    Style{"tile-texture", Treatment::blocks},
    Style{"3D_ANIMATED_FAMILY_FILM", Treatment::vivid},
    Style{"DESIGN_SKETCH", Treatment::ink},
    Style{"FLAT_VECTOR_ILLUSTRATION", Treatment::flat},
    Style{"GRAPHIC_NOVEL_ILLUSTRATION", Treatment::ink},
    Style{"MAXIMALISM", Treatment::vivid},
    Style{"MIDCENTURY_RETRO", Treatment::muted},
    Style{"PHOTOREALISM", Treatment::muted},
    Style{"SOFT_DIGITAL_PAINTING", Treatment::muted},
};

/// `hue`: 0 to 1535, around the circle; the others: 0 to 255.
Rgb color_of(int hue, int saturation, int value) {
  const int sector = hue % 1536 / 256;
  const int rising = hue % 256;
  const int falling = 255 - rising;
  constexpr int full = 255;
  const std::array<std::array<int, 3>, 6> circle{{{full, rising, 0},
                                                  {falling, full, 0},
                                                  {0, full, rising},
                                                  {0, falling, full},
                                                  {rising, 0, full},
                                                  {full, 0, falling}}};
  Rgb made{};
  for (std::size_t c = 0; c < 3; ++c) {
    const int pure = circle[static_cast<std::size_t>(sector)][c];
    made[c] = static_cast<std::uint8_t>(mixed(full, pure, saturation + 1) * value / full);
  }
  return made;
}

}  // namespace

std::uint64_t Numbers::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::uint64_t number_of(std::string_view text, std::uint64_t start) {
  std::uint64_t number = start ^ 0xCBF29CE484222325;  // FNV-1a
  for (const unsigned char byte : text) number = (number ^ byte) * 0x100000001B3;
  return Numbers(number ^ text.size()).next();
}

Treatment treatment_of(std::string_view style) {
  const auto row = std::ranges::find(styles, style, &Style::name);
  return row == styles.end() ? Treatment::none : row->treatment;
}

Palette chosen_palette(Numbers& numbers) {
  const int hue = numbers.upto(1535);
  Palette palette{.top = color_of(hue, numbers.between(90, 190), numbers.between(120, 225)),
                  .bottom = color_of(hue + numbers.between(80, 380), numbers.between(70, 170),
                                     numbers.between(190, 250)),
                  .shapes = {}};
  for (int i = 0; i < 5; ++i) {
    palette.shapes.push_back(color_of(hue + 768 + numbers.between(-320, 320),
                                      numbers.between(110, 230), numbers.between(110, 250)));
  }
  return palette;
}

Palette palette_of(const std::vector<Rgb>& colors) {
  return {.top = colors.front(),
          .bottom = colors[colors.size() / 2],
          .shapes = {colors.rbegin(), colors.rend()}};
}

}  // namespace craton::engines::canvas
