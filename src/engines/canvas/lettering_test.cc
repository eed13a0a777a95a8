#include "engines/canvas/lettering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace craton::engines::canvas {
namespace {

Picture black(int width, int height) {
  Picture picture{width, height, {}};
  picture.rgba.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
  return picture;
}

constexpr Rgb white{255, 255, 255};

int lit(const Picture& picture) {
  return static_cast<int>(
      std::ranges::count_if(picture.rgba, [](int value) { return value > 128; }));
}

Picture written(Lettering& lettering, const std::string& text, int size = 24) {
  Picture picture = black(300, 40);
  const Box box{2, 2, 296, 36};
  lettering.write(lettering.fitted(text, box, size), box, white, picture);
  return picture;
}

/// The machine's fonts, and none.
class AnyFonts : public testing::TestWithParam<bool> {
 protected:
  Lettering lettering_{GetParam() ? known_font_files() : std::vector<std::string>{"/no/font.ttf"}};
};

TEST_P(AnyFonts, LettersDiffer) {
  EXPECT_GT(lit(written(lettering_, "a")), 0);
  EXPECT_NE(written(lettering_, "a"), written(lettering_, "b"));
  EXPECT_EQ(written(lettering_, " \n a\t "), written(lettering_, "a"));
  EXPECT_EQ(lit(written(lettering_, "")), 0);
}

TEST_P(AnyFonts, TextIsBrokenIntoLinesThatFit) {
  const Box box{0, 0, 200, 100};
  const SetText text = lettering_.fitted("a lighthouse at dusk with waves below it", box, 40);
  EXPECT_GE(text.lines.size(), 2u);
  EXPECT_LE(text.height(), 100);
  for (const std::u32string& line : text.lines) EXPECT_FALSE(line.ends_with(U' '));
  EXPECT_LE(lettering_.fitted("a", box, 40).size, 40);
}

TEST_P(AnyFonts, WhatDoesNotFitIsLeftOut) {
  const SetText text = lettering_.fitted(std::string(5000, 'x'), {0, 0, 200, 60}, 40);
  EXPECT_FALSE(text.lines.empty());
  EXPECT_LE(text.height(), 60);
  EXPECT_TRUE(text.lines.back().ends_with(U"...")) << text.lines.size();
  EXPECT_TRUE(lettering_.fitted("abc", {0, 0, 200, 3}, 40).lines.empty());
  EXPECT_TRUE(lettering_.fitted("abc", {0, 0, 1, 100}, 40).lines.empty());
  EXPECT_TRUE(lettering_.fitted("abc", {0, 0, -5, -5}, 40).lines.empty());
}

TEST_P(AnyFonts, WhatLiesOutsideThePictureIsCut) {
  Picture picture = black(5, 5);
  const SetText text = lettering_.fitted("abc 한글", {0, 0, 200, 40}, 30);
  for (const Box& box : {Box{-20, -20, 9, 9}, Box{3, 3, 9, 9}, Box{900, 900, 1, 1}})
    lettering_.write(text, box, white, picture);
}

INSTANTIATE_TEST_SUITE_P(Fonts, AnyFonts, testing::Bool(), [](const auto& with) {
  return std::string(with.param ? "OfTheMachine" : "None");
});

// scripts/setup installs a font that has it.
TEST(Lettering, HangulIsLegible) {
  Lettering lettering;
  for (const char32_t syllable : {U'한', U'글', U'뷁', U'힣', U'가'})
    EXPECT_TRUE(lettering.has(syllable)) << std::uint32_t{syllable};
  EXPECT_NE(written(lettering, "한"), written(lettering, "글"));
  EXPECT_NE(written(lettering, "갂"), written(lettering, "갃"));
}

TEST(Lettering, WithoutAFontHangulIsFrames) {
  Lettering lettering{std::vector<std::string>{}};
  EXPECT_FALSE(lettering.has(U'한'));
  EXPECT_EQ(written(lettering, "한"), written(lettering, "글"));
  EXPECT_GT(lit(written(lettering, "한")), 0);
}

}  // namespace
}  // namespace craton::engines::canvas
