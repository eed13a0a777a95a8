#include "engines/llama/image_pixels.h"

#include <gtest/gtest.h>
#include <webp/encode.h>

#include <chrono>
#include <string>

#include "engines/llama/test_images.h"

namespace craton::engines::llama {
namespace {

using namespace std::string_literals;

std::string refusal(const std::string& bytes, const PixelLimits& limits = {}) {
  const auto pixels = decode_pixels(bytes, limits);
  if (pixels) return "decoded";
  EXPECT_EQ(pixels.error().code, ErrorCode::validation);
  return pixels.error().message;
}

using Rgb = std::vector<unsigned char>;

TEST(ImagePixels, PngIsDecoded) {
  const auto pixels =
      decode_pixels(png_of(2, 1, PngColor::rgb, "\0\x01\x02\x03\xFF\xFE\xFD"s)).value();
  EXPECT_EQ(pixels.width, 2u);
  EXPECT_EQ(pixels.height, 1u);
  EXPECT_EQ(pixels.rgb, (Rgb{1, 2, 3, 255, 254, 253}));
  EXPECT_EQ(decode_pixels(png_of(1, 2, PngColor::gray, "\0\x07\0\x09"s)).value().rgb,
            (Rgb{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(decode_pixels(png_of(1, 1, PngColor::gray, "\0\x12\x34"s, 16)).value().rgb,
            (Rgb{0x12, 0x12, 0x12}));
}

TEST(ImagePixels, WhatIsTransparentIsShownOnWhite) {
  EXPECT_EQ(
      decode_pixels(png_of(3, 1, PngColor::rgba, "\0\0\0\0\0\0\0\0\xFF\0\0\0\x80"s)).value().rgb,
      (Rgb{255, 255, 255, 0, 0, 0, 127, 127, 127}));
}

TEST(ImagePixels, GifIsDecoded) {
  // A palette of black and white, one pixel of each.
  const std::string gif =
      "GIF89a\2\0\1\0\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\2\0\1\0\0\2\2\x44\x0A\0;"s;
  EXPECT_EQ(decode_pixels(gif).value().rgb, (Rgb{0, 0, 0, 255, 255, 255}));
}

TEST(ImagePixels, WebpIsDecoded) {
  const Rgb rgba{10, 20, 30, 255, 0, 0, 0, 0};
  std::uint8_t* encoded = nullptr;
  const std::size_t size = WebPEncodeLosslessRGBA(rgba.data(), 2, 1, 8, &encoded);
  ASSERT_GT(size, 0u);
  const std::string webp(reinterpret_cast<const char*>(encoded), size);
  WebPFree(encoded);
  EXPECT_EQ(decode_pixels(webp).value().rgb, (Rgb{10, 20, 30, 255, 255, 255}));
  for (std::size_t cut = 0; cut < size; ++cut)
    EXPECT_EQ(refusal(webp.substr(0, cut)), "Could not process image");
}

TEST(ImagePixels, WhatIsCutOrBrokenIsRefused) {
  EXPECT_EQ(refusal("hello"), "Could not process image");
  const std::string png = test_png(40, 30);
  for (const std::size_t size : {std::size_t{8}, std::size_t{33}, png.size() / 2})
    EXPECT_EQ(refusal(png.substr(0, size)), "Could not process image") << size;
  EXPECT_EQ(refusal(png_of(2, 2, PngColor::rgb, "\0\1\2\3"s)), "Could not process image")
      << "fewer pixels than it says";
  EXPECT_EQ(refusal("\xFF\xD8\xFF\xC0\0\x11\x08\0\x10\0\x10\3\1\x11\0\2\x11\0\3\x11\0\xFF\xD9"s),
            "Could not process image")
      << "a JPEG without a scan";
}

TEST(ImagePixels, LimitsAreHeldBeforeDecoding) {
  EXPECT_EQ(refusal(png_of(9000, 9000, PngColor::gray, "")),
            "Could not process image: it has more than 64000000 pixels");
  EXPECT_EQ(refusal(png_of(401, 2, PngColor::gray, "")),
            "Could not process image: one side is more than 200 times as long as the other");
  EXPECT_EQ(refusal(png_of(2, 4294967295, PngColor::gray, "")),
            "Could not process image: it has more than 64000000 pixels");
  EXPECT_EQ(measure_pixels(test_png(200, 1)).value().width, 200u);
  EXPECT_EQ(refusal(test_png(3, 3), {.pixels_max = 8}),
            "Could not process image: it has more than 8 pixels");
}

// One pixel in front of 256 MB of zeros: decoders unpack all of it before they look.
TEST(ImagePixels, BombsAreStopped) {
  const std::string zeros(256u << 20, '\0');
  const std::string bomb = png_of(1, 1, PngColor::gray, zeros);
  EXPECT_LT(bomb.size(), 2'000'000u);
  EXPECT_EQ(refusal(bomb), "Could not process image");
}

TEST(ImagePixels, PicturesThatArePaintedOverAndOverAreRefused) {
  std::string jpeg = "\xFF\xD8\xFF\xC2\0\x0B\x08\x10\0\x10\0\1\1\x11\0"s;
  for (int i = 0; i < 1000; ++i) jpeg += "\xFF\xDA\0\x08\1\1\0\0\0\0"s;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(jpeg), "Could not process image");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace craton::engines::llama
