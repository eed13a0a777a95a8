// Words on pictures: in the fonts that the machine has, through FreeType, and in letters of five by
// seven dots for ASCII where it has none. What no font has is shown as an empty frame.
//
// Text is set left to right, a code point a glyph: enough to read a prompt in most scripts, Hangul
// among them, and not typography.
//
// Threads: an object belongs to one. Reads font files when it first needs them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conversation/drawing.h"
#include "engines/canvas/composition.h"

namespace craton::engines::canvas {

/// Where fonts are looked for: those that have Hangul first.
std::vector<std::string> known_font_files();

/// Lines of text, and how large.
struct SetText {
  std::vector<std::u32string> lines;
  int size = 0;  ///< Of an em, pixels.

  int height() const { return static_cast<int>(lines.size()) * line_height(); }
  int line_height() const { return size * 5 / 4; }
};

class Lettering {
 public:
  /// `font_files`: the first of them that has a character draws it; those that are missing or no
  /// fonts are passed over.
  explicit Lettering(std::vector<std::string> font_files = known_font_files());
  ~Lettering();
  Lettering(const Lettering&) = delete;
  Lettering& operator=(const Lettering&) = delete;

  /// `text`, UTF-8, broken into lines as large as fit into the box, `size_max` pixels at most; what
  /// does not fit at the smallest size is left out. No lines where none fits.
  SetText fitted(std::string_view text, const Box& box, int size_max);

  /// Draws it with its top left corner at the box's; what lies outside the picture is cut.
  void write(const SetText& text, const Box& box, const Rgb& color, Picture& picture);

  /// Whether a font has it, rather than a frame showing it.
  bool has(char32_t character);

 private:
  class Fonts;

  std::vector<std::string> files_;
  std::unique_ptr<Fonts> fonts_;  ///< Once they are needed.
  Fonts& fonts();
};

}  // namespace craton::engines::canvas
