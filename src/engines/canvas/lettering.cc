#include "engines/canvas/lettering.h"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "engines/canvas/dot_letters.h"

namespace craton::engines::canvas {
namespace {

/// Of a prompt, shown at most.
constexpr std::size_t characters_max = 1200;
constexpr int size_min = 9;
constexpr std::size_t glyphs_kept = 4096;

// Of the letters of dots: a column between them, and their height in an em.
constexpr float dot_advance = 0.6F;

struct FreeLibrary {
  void operator()(FT_Library library) const { FT_Done_FreeType(library); }
};
struct FreeFace {
  void operator()(FT_Face face) const { FT_Done_Face(face); }
};
using Library = std::unique_ptr<std::remove_pointer_t<FT_Library>, FreeLibrary>;
using Face = std::unique_ptr<std::remove_pointer_t<FT_Face>, FreeFace>;

/// A character's shape: how far each pixel is covered.
struct Glyph {
  int left = 0;  ///< From the pen to the shape,
  int top = 0;   ///< and from the top of the line.
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> cover;
};

bool is_blank(char32_t c) { return c <= U' ' || c == 0x7F || c == 0xA0 || c == 0x3000; }

/// The characters of UTF-8, which is whole; blanks of any kind and number are one.
std::u32string read(std::string_view text) {
  std::u32string characters;
  for (std::size_t i = 0; i < text.size() && characters.size() < characters_max;) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0xC0 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t c = more == 0 ? lead : lead & (0x3F >> more);
    for (int k = 0; k < more && i < text.size(); ++k) {
      c = c << 6 | (static_cast<unsigned char>(text[i++]) & 0x3F);
    }
    if (!is_blank(c)) {
      characters += c;
    } else if (!characters.empty() && characters.back() != U' ') {
      characters += U' ';
    }
  }
  if (characters.ends_with(U' ')) characters.pop_back();
  return characters;
}

/// Scripts that are broken between any two characters.
bool breaks_anywhere(char32_t c) {
  return (c >= 0x2E80 && c < 0xAC00) || (c >= 0xF900 && c < 0xFB00);
}

/// What follows on from `at` on one line of `room` ems: how many characters.
std::size_t characters_of_line(const std::vector<float>& advances, const std::u32string& text,
                               std::size_t at, float room) {
  std::size_t end = at;
  std::size_t last_break = at;
  for (float used = 0; end < text.size(); ++end) {
    used += advances[end];
    if (used > room) break;
    if (text[end] == U' ' || breaks_anywhere(text[end])) last_break = end + 1;
  }
  if (end == text.size() || text[end] == U' ') return end - at;
  return last_break > at ? last_break - at : end - at;
}

/// `text` in lines of `room` ems; nothing when there are more than `lines_max`, or a line has no
/// room for a character. The last line then ends in dots, where `cut` is wanted.
std::vector<std::u32string> broken(const std::vector<float>& advances, const std::u32string& text,
                                   float room, std::size_t lines_max, bool cut) {
  std::vector<std::u32string> lines;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == U' ') {
      ++at;
      continue;
    }
    const std::size_t count = characters_of_line(advances, text, at, room);
    if (count == 0) return {};
    if (lines.size() == lines_max) {
      if (!cut || lines.empty()) return {};
      std::u32string& last = lines.back();
      if (last.size() > 3) last.replace(last.size() - 3, 3, U"...");
      return lines;
    }
    const bool blank_ends = text[at + count - 1] == U' ';
    lines.push_back(text.substr(at, count - (blank_ends ? 1 : 0)));
    at += count;
  }
  return lines;
}

Glyph dot_glyph(char32_t character, int size) {
  const std::size_t index = character - first_dot_letter;
  const DotLetter& letter = index < dot_letters.size() ? dot_letters[index] : dot_frame;
  const int height = std::max(dot_rows, size * 7 / 10);
  const int width = std::max(dot_columns, size / 2);
  Glyph glyph{0, size - height, width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int column = letter[static_cast<std::size_t>(x * dot_columns / width)];
      glyph.cover.push_back(column >> (y * dot_rows / height) & 1 ? 255 : 0);
    }
  }
  return glyph;
}

void lay_glyph(const Glyph& glyph, int pen, int line, const Rgb& color, Picture& picture) {
  for (int y = 0; y < glyph.height; ++y) {
    const int to_y = line + glyph.top + y;
    if (to_y < 0 || to_y >= picture.height) continue;
    for (int x = 0; x < glyph.width; ++x) {
      const int to_x = pen + glyph.left + x;
      if (to_x < 0 || to_x >= picture.width) continue;
      const int cover = glyph.cover[static_cast<std::size_t>(y * glyph.width + x)];
      lay(color, cover * 256 / 255, pixel_at(picture, to_x, to_y));
    }
  }
}

}  // namespace

/// The fonts that are there, and the shapes that they have given.
class Lettering::Fonts {
 public:
  explicit Fonts(const std::vector<std::string>& files) {
    FT_Library library = nullptr;
    if (FT_Init_FreeType(&library) != 0) return;
    library_.reset(library);
    for (const std::string& file : files) {
      FT_Face face = nullptr;
      if (FT_New_Face(library, file.c_str(), 0, &face) != 0) continue;
      Face owned(face);
      if (FT_IS_SCALABLE(face)) faces_.push_back(std::move(owned));
    }
  }

  /// In ems.
  float advance(char32_t character) {
    const auto [at, is_new] = advances_.try_emplace(character, dot_advance);
    if (!is_new) return at->second;
    if (advances_.size() > glyphs_kept) advances_.clear();
    const auto [face, index] = find(character);
    if (face && FT_Load_Glyph(face, index, FT_LOAD_NO_SCALE) == 0) {
      const float em = static_cast<float>(std::max<int>(face->units_per_EM, 1));
      const float wide = static_cast<float>(face->glyph->metrics.horiAdvance) / em;
      return advances_[character] = std::clamp(wide, 0.0F, 4.0F);
    }
    return advances_[character] = dot_advance;
  }

  const Glyph& glyph(char32_t character, int size) {
    const std::uint64_t key = std::uint64_t{character} << 16 | static_cast<std::uint64_t>(size);
    const auto found = glyphs_.find(key);
    if (found != glyphs_.end()) return found->second;
    if (glyphs_.size() >= glyphs_kept) glyphs_.clear();
    return glyphs_[key] = made(character, size);
  }

  bool has(char32_t character) { return find(character).first != nullptr; }

 private:
  std::pair<FT_Face, FT_UInt> find(char32_t character) {
    for (const Face& face : faces_) {
      if (const FT_UInt index = FT_Get_Char_Index(face.get(), character)) {
        return {face.get(), index};
      }
    }
    return {nullptr, 0};
  }

  Glyph made(char32_t character, int size) {
    const auto [face, index] = find(character);
    if (!face || FT_Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(size)) != 0 ||
        FT_Load_Glyph(face, index, FT_LOAD_RENDER) != 0) {
      return dot_glyph(character, size);
    }
    const FT_GlyphSlot slot = face->glyph;
    const FT_Bitmap& bitmap = slot->bitmap;
    if (bitmap.pixel_mode != FT_PIXEL_MODE_GRAY && bitmap.rows > 0) {
      return dot_glyph(character, size);
    }
    const int ascent = size * 9 / 10;
    Glyph glyph{slot->bitmap_left,
                ascent - slot->bitmap_top,
                static_cast<int>(bitmap.width),
                static_cast<int>(bitmap.rows),
                {}};
    for (unsigned y = 0; y < bitmap.rows; ++y) {
      const std::uint8_t* row = bitmap.buffer + static_cast<std::ptrdiff_t>(y) * bitmap.pitch;
      glyph.cover.insert(glyph.cover.end(), row, row + bitmap.width);
    }
    return glyph;
  }

  Library library_;  // outlives the faces
  std::vector<Face> faces_;
  std::unordered_map<char32_t, float> advances_;
  std::unordered_map<std::uint64_t, Glyph> glyphs_;
};

std::vector<std::string> known_font_files() {
  const std::string fonts = "/usr/share/fonts/";
  return {
      fonts + "truetype/nanum/NanumGothicBold.ttf",
      fonts + "truetype/nanum/NanumGothic.ttf",
      fonts + "truetype/nanum/NanumBarunGothic.ttf",
      fonts + "truetype/unfonts-core/UnDotum.ttf",
      fonts + "opentype/noto/NotoSansCJK-Regular.ttc",
      fonts + "noto-cjk/NotoSansCJK-Regular.ttc",
      fonts + "google-noto-cjk/NotoSansCJK-Regular.ttc",
      fonts + "truetype/noto/NotoSans-Regular.ttf",
      fonts + "truetype/dejavu/DejaVuSans.ttf",
      fonts + "TTF/DejaVuSans.ttf",
      fonts + "truetype/liberation/LiberationSans-Regular.ttf",
  };
}

Lettering::Lettering(std::vector<std::string> font_files) : files_(std::move(font_files)) {}
Lettering::~Lettering() = default;

Lettering::Fonts& Lettering::fonts() {
  if (!fonts_) fonts_ = std::make_unique<Fonts>(files_);
  return *fonts_;
}

SetText Lettering::fitted(std::string_view text, const Box& box, int size_max) {
  const std::u32string characters = read(text);
  std::vector<float> advances;
  advances.reserve(characters.size());
  for (const char32_t c : characters) advances.push_back(fonts().advance(c));
  SetText set;
  for (int size = std::min(size_max, box.height); size >= size_min;) {
    const int smaller = std::min(size - 1, size * 7 / 8);
    set.size = size;
    const auto lines_max = static_cast<std::size_t>(std::max(0, box.height / set.line_height()));
    const float room = static_cast<float>(box.width) / static_cast<float>(size);
    set.lines = broken(advances, characters, room, lines_max, smaller < size_min);
    if (!set.lines.empty()) return set;
    size = smaller;
  }
  return {};
}

void Lettering::write(const SetText& text, const Box& box, const Rgb& color, Picture& picture) {
  int line = box.y;
  for (const std::u32string& characters : text.lines) {
    float pen = 0;
    for (const char32_t c : characters) {
      lay_glyph(fonts().glyph(c, text.size), box.x + static_cast<int>(pen), line, color, picture);
      pen += fonts().advance(c) * static_cast<float>(text.size);
    }
    line += text.line_height();
  }
}

bool Lettering::has(char32_t character) { return fonts().has(character); }

}  // namespace craton::engines::canvas
