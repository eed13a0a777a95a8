// What a picture looks like is chosen by what was asked for: numbers that follow from words, and
// the colours that follow from those.
//
// No I/O, no globals.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "conversation/drawing.h"

namespace craton::engines::canvas {

using Rgb = std::array<std::uint8_t, 3>;

/// The same numbers from the same start, on every machine.
/// Source: SplitMix64, https://prng.di.unimi.it/splitmix64.c
class Numbers {
 public:
  explicit Numbers(std::uint64_t start) : state_(start) {}

  std::uint64_t next();

  /// From 0 to `most`, both included; `most` is not negative.
  int upto(int most) { return static_cast<int>(next() % (static_cast<std::uint64_t>(most) + 1)); }
  int between(int least, int most) { return least + upto(most - least); }

 private:
  std::uint64_t state_;
};

/// A number that follows from every byte of `text`, and from `start`.
std::uint64_t number_of(std::string_view text, std::uint64_t start = 0);

/// How a style changes what was drawn.
enum class Treatment { none, ink, blocks, flat, muted, vivid };

/// Of a style as providers name it; `none` for others.
Treatment treatment_of(std::string_view style);

struct Palette {
  Rgb top;
  Rgb bottom;
  std::vector<Rgb> shapes;  ///< At least one.
};

/// Colours that go together.
Palette chosen_palette(Numbers& numbers);

/// Made of `colors`, of which there is one at least.
Palette palette_of(const std::vector<Rgb>& colors);

/// 0 to 255. Source: ITU-R BT.601, in eight bits.
constexpr int luma(const std::uint8_t* rgb) {
  return (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8;
}

/// `from` at 0, `to` at 256.
constexpr int mixed(int from, int to, int share) { return from + (((to - from) * share) >> 8); }
constexpr Rgb mixed(const Rgb& from, const Rgb& to, int share) {
  Rgb made{};
  for (std::size_t c = 0; c < 3; ++c) {
    made[c] = static_cast<std::uint8_t>(mixed(int{from[c]}, int{to[c]}, share));
  }
  return made;
}

}  // namespace craton::engines::canvas
