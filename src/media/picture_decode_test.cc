#include "media/picture_decode.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include "media/test_png.h"

namespace craton::media {
namespace {

using namespace std::string_literals;

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t pixels_max = 1 << 24;

std::string refusal(const std::string& bytes, std::uint64_t most = pixels_max) {
  const auto picture = decode_picture(bytes, most);
  if (picture) return "decoded";
  EXPECT_EQ(picture.error().code, ErrorCode::validation);
  return picture.error().message;
}

std::string file(const std::string& name) {
  std::ifstream in(std::string(CRATON_SOURCE_DIR) + "/fuzz/corpus/image_decode/" + name,
                   std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Png {
  const char* name;
  std::string bytes;
  Bytes rgba;
};

const Png pngs[] = {
    {"rgb", png_of(2, 1, {}, "\0\1\2\3\xFF\xFE\xFD"s), {1, 2, 3, 255, 255, 254, 253, 255}},
    {"gray", png_of(2, 1, {8, 0}, "\0\7\x09"s), {7, 7, 7, 255, 9, 9, 9, 255}},
    {"gray16", png_of(1, 1, {16, 0}, "\0\x12\x34"s), {0x12, 0x12, 0x12, 255}},
    {"gray_alpha", png_of(1, 1, {8, 4}, "\0\7\x80"s), {7, 7, 7, 0x80}},
    {"rgba", png_of(1, 1, {8, 6}, "\0\1\2\3\4"s), {1, 2, 3, 4}},
    {"rgba16", png_of(1, 1, {16, 6}, "\0\1\xFF\2\xFF\3\xFF\4\xFF"s), {1, 2, 3, 4}},
    {"one_bit", png_of(2, 1, {1, 0}, "\0\x40"s), {0, 0, 0, 255, 255, 255, 255, 255}},
    {"palette",
     png_of(2, 1, {1, 3}, "\0\x40"s,
            png_chunk("PLTE", "\1\2\3\4\5\6"s) + png_chunk("tRNS", "\x09"s)),
     {1, 2, 3, 9, 4, 5, 6, 255}},
    {"interlaced", png_of(1, 2, {8, 0, 1}, "\0\1\0\2"s), {1, 1, 1, 255, 2, 2, 2, 255}},
    {"gamma_is_left",
     png_of(1, 1, {8, 0}, "\0\x64"s, png_chunk("gAMA", big_endian(100000))),
     {100, 100, 100, 255}},
};

class PngFile : public testing::TestWithParam<Png> {};

TEST_P(PngFile, IsDecodedToRgba) {
  const auto picture = decode_picture(GetParam().bytes, pixels_max);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(picture->rgba, GetParam().rgba);
}

TEST_P(PngFile, CutAnywhereIsRefused) {
  const std::string& bytes = GetParam().bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(refusal(bytes.substr(0, size)), "Could not process image") << size;
}

TEST_P(PngFile, AnyByteThatIsFlippedIsNoticedOrDoesNotMatter) {
  for (std::size_t at = 0; at < GetParam().bytes.size(); ++at) {
    std::string bytes = GetParam().bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    const auto picture = decode_picture(bytes, pixels_max);
    if (picture) {
      EXPECT_EQ(picture->rgba.size(), GetParam().rgba.size()) << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, PngFile, testing::ValuesIn(pngs),
                         [](const auto& png) { return std::string(png.param.name); });

constexpr const char* lossy[] = {"base.jpg", "progressive.jpg", "cmyk.jpg", "lossy.webp",
                                 "lossless.webp"};

class LossyFile : public testing::TestWithParam<const char*> {};

TEST_P(LossyFile, IsDecodedAndCutAnywhereRefused) {
  const std::string bytes = file(GetParam());
  const auto picture = decode_picture(bytes, pixels_max);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(picture->rgba.size(), static_cast<std::size_t>(picture->width) *
                                      static_cast<std::size_t>(picture->height) * 4);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(refusal(bytes.substr(0, size)), "Could not process image") << size;
}

INSTANTIATE_TEST_SUITE_P(Kinds, LossyFile, testing::ValuesIn(lossy), [](const auto& one) {
  std::string name = one.param;
  name[name.find('.')] = '_';
  return name;
});

TEST(PictureDecode, WhatIsNoPictureIsRefused) {
  for (const char* name : {"moving.webp", "one.gif", "moving.gif"})
    EXPECT_EQ(refusal(file(name)), "Could not process image") << name;
  EXPECT_EQ(refusal("hello"), "Could not process image");
  EXPECT_EQ(refusal("\xFF\xD8\xFF\xC0\0\x11\x08\0\x10\0\x10\3\1\x11\0\2\x11\0\3\x11\0\xFF\xD9"s),
            "Could not process image")
      << "a JPEG without a scan";
  EXPECT_EQ(refusal(png_of(2, 2, {}, "\0\1\2\3"s)), "Could not process image")
      << "fewer pixels than it says";
}

TEST(PictureDecode, PixelsAreCountedBeforeAnythingIsAllocated) {
  EXPECT_EQ(refusal(png_of(60000, 60000, {}, "")),
            "Could not process image: it has more than 16777216 pixels");
  EXPECT_EQ(refusal(png_of(2, 4294967295, {8, 0}, "")),
            "Could not process image: it has more than 16777216 pixels");
  EXPECT_EQ(refusal(png_of(2, 1, {8, 0}, "\0\7\x09"s), 1),
            "Could not process image: it has more than 1 pixels");
}

// One pixel in front of 64 MB of zeros, and a profile or a text of 64 MB.
TEST(PictureDecode, WhatIsPackedIsNotUnpackedPastTheBound) {
  const std::string zeros = deflated(std::string(64u << 20, '\0'));
  const std::string kind = big_endian(1) + big_endian(1) + "\x08\0\0\0\0"s;
  const std::string row = png_chunk("IDAT", deflated("\0\7"s));
  const std::string begin = "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", kind);
  const std::string end = png_chunk("IEND", "");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(begin + png_chunk("iCCP", "x\0\0"s + zeros) + row + end),
            "Could not process image");
  EXPECT_EQ(refusal(begin + png_chunk("zTXt", "x\0\0"s + zeros) + row + end),
            "Could not process image");
  EXPECT_EQ(refusal(begin + png_chunk("IDAT", zeros) + end), "decoded") << "as far as it goes";
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(PictureDecode, PicturesThatArePaintedOverAndOverAreRefused) {
  std::string jpeg = "\xFF\xD8\xFF\xC2\0\x0B\x08\x10\0\x10\0\1\1\x11\0"s;
  for (int i = 0; i < 1000; ++i) jpeg += "\xFF\xDA\0\x08\1\1\0\0\0\0"s;
  EXPECT_EQ(refusal(jpeg), "Could not process image");
}

}  // namespace
}  // namespace craton::media
