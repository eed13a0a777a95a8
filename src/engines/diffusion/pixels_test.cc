#include "engines/diffusion/pixels.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace craton::engines::diffusion {
namespace {

using Gray = std::vector<int>;

/// An opaque gray picture of those pixels.
Picture picture(int width, const Gray& grays) {
  Picture made{width, static_cast<int>(grays.size()) / width, {}};
  for (const int gray : grays) {
    for (int c = 0; c < 3; ++c) made.rgba.push_back(static_cast<std::uint8_t>(gray));
    made.rgba.push_back(255);
  }
  return made;
}

Gray grays(const Picture& picture) {
  Gray all;
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) all.push_back(picture.rgba[i]);
  return all;
}

Mask mask(int width, const Gray& change) {
  return {width, static_cast<int>(change.size()) / width, {change.begin(), change.end()}};
}

TEST(Pixels, AFrameIsTheNextMultipleOf64) {
  EXPECT_EQ(frame_of({1, 64}), (Size{64, 64}));
  EXPECT_EQ(frame_of({65, 1000}), (Size{128, 1024}));
}

TEST(Pixels, ScaledDownTheyAreMeans) {
  EXPECT_EQ(grays(scaled(picture(4, {0, 0, 200, 200}), {2, 1})), (Gray{29, 171}));
  EXPECT_EQ(grays(scaled(picture(64, Gray(64 * 64, 77)), {5, 3})), Gray(15, 77));
}

TEST(Pixels, ScaledUpTheyLieBetween) {
  EXPECT_EQ(grays(scaled(picture(2, {0, 100}), {4, 1})), (Gray{0, 25, 75, 100}));
  EXPECT_EQ(grays(scaled(picture(1, {9}), {3, 2})), Gray(6, 9));
}

TEST(Pixels, OfTheirOwnSizeTheyStayAsTheyAre) {
  const Picture some = picture(2, {1, 2, 3, 4});
  EXPECT_EQ(scaled(some, {2, 2}), some);
  EXPECT_EQ(scaled(mask(2, {0, 255}), {2, 1}), mask(2, {0, 255}));
}

TEST(Pixels, AFrameRepeatsThePicturesEdge) {
  const std::string frame = framed(picture(2, {10, 20, 30, 40}), {64, 64});
  ASSERT_EQ(frame.size(), 64u * 64 * 3);
  const auto at = [&](int x, int y) { return static_cast<unsigned char>(frame[(y * 64 + x) * 3]); };
  EXPECT_EQ(at(0, 0), 10);
  EXPECT_EQ(at(63, 0), 20);
  EXPECT_EQ(at(0, 63), 30);
  EXPECT_EQ(at(32, 32), 40);
  EXPECT_EQ(grays(cut_out(frame, {64, 64}, {2, 2})), (Gray{10, 20, 30, 40}));
}

TEST(Pixels, WhatIsTransparentStandsOnWhite) {
  Picture clear = picture(1, {100});
  clear.rgba[3] = 0;
  EXPECT_EQ(framed(clear, {1, 1}), "\xff\xff\xff");
  clear.rgba[3] = 128;
  EXPECT_EQ(static_cast<unsigned char>(framed(clear, {1, 1})[0]), 177);
}

TEST(Pixels, OutsideOfTheMaskTheSourceIsLeftAsItIs) {
  const Picture source = picture(3, {10, 10, 10});
  const Picture drawn = picture(3, {250, 250, 250});
  EXPECT_EQ(grays(composed(source, drawn, mask(3, {0, 128, 255}))), (Gray{10, 130, 250}));
}

TEST(Pixels, AMaskIsFramedLikeItsPicture) {
  const std::string frame = framed(mask(2, {0, 255}), {64, 64});
  ASSERT_EQ(frame.size(), 64u * 64);
  EXPECT_EQ(frame[0], '\0');
  EXPECT_EQ(frame[63], '\xff');
}

}  // namespace
}  // namespace craton::engines::diffusion
