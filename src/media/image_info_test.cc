#include "media/image_info.h"

#include <gtest/gtest.h>

#include <string>

namespace craton::media {
namespace {

using namespace std::string_literals;

struct Image {
  const char* name;
  std::string bytes;
  ImageInfo info;
};

// Headers by hand, after the formats' specifications; what follows them does not matter.
const Image images[] = {
    {"png", "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x01\x02\0\0\0\x03"s, {ImageFormat::png, 258, 3}},
    {"gif87", "GIF87a\x02\x01\x03\0"s, {ImageFormat::gif, 258, 3}},
    {"gif89", "GIF89a\x02\x01\x03\0"s, {ImageFormat::gif, 258, 3}},
    {"jpeg_baseline",
     "\xFF\xD8\xFF\xE0\0\x04zz\xFF\xC0\0\x11\x08\0\x03\x01\x02"s,
     {ImageFormat::jpeg, 258, 3}},
    {"jpeg_progressive", "\xFF\xD8\xFF\xC2\0\x11\x08\0\x03\x01\x02"s, {ImageFormat::jpeg, 258, 3}},
    {"jpeg_tables_first",
     "\xFF\xD8\xFF\xDB\0\x03z\xFF\xC4\0\x04zz\xFF\xFF\xFF\xDD\0\x04zz\xFF\x01\xFF\xC1\0\x11\x08\0\x03\x01\x02"s,
     {ImageFormat::jpeg, 258, 3}},
    {"jpeg_thumbnail_inside",
     "\xFF\xD8\xFF\xE1\0\x0D\xFF\xC0\0\x11\x08\0\x09\0\x09\0\0\xFF\xC0\0\x11\x08\0\x03\x01\x02"s,
     {ImageFormat::jpeg, 258, 3}},
    {"webp_lossy",
     "RIFF\x1E\0\0\0WEBPVP8 \x12\0\0\0\x30\x01\0\x9D\x01\x2A\x02\x41\x03\xC0"s,
     {ImageFormat::webp, 258, 3}},
    {"webp_lossless",
     "RIFF\x1E\0\0\0WEBPVP8L\x12\0\0\0\x2F\x01\x81\0\0"s,
     {ImageFormat::webp, 258, 3}},
    {"webp_extended",
     "RIFF\x1E\0\0\0WEBPVP8X\x0A\0\0\0\x10\0\0\0\x01\x01\0\x02\0\0"s,
     {ImageFormat::webp, 258, 3}},
};

class ImageHeader : public testing::TestWithParam<Image> {};

TEST_P(ImageHeader, IsRead) {
  const auto info = image_info(GetParam().bytes);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->format, GetParam().info.format);
  EXPECT_EQ(info->width, GetParam().info.width);
  EXPECT_EQ(info->height, GetParam().info.height);
  EXPECT_EQ(image_info(GetParam().bytes + "more").value(), GetParam().info);
}

TEST_P(ImageHeader, CutAnywhereIsRefused) {
  const std::string& bytes = GetParam().bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(image_info(bytes.substr(0, size))) << size;
}

INSTANTIATE_TEST_SUITE_P(Formats, ImageHeader, testing::ValuesIn(images),
                         [](const auto& image) { return std::string(image.param.name); });

TEST(ImageInfo, WhatIsNoImageIsRefused) {
  for (const std::string& bytes :
       {""s, "BM"s, "RIFF\0\0\0\0WAVEfmt "s, "GIF88a\1\0\1\0"s, "%PDF-1.4"s}) {
    EXPECT_EQ(image_info(bytes).error().message, "The image is none of png, jpeg, gif and webp.");
  }
  const std::string damaged = "image is damaged or ends too early: it has no width and height.";
  EXPECT_EQ(image_info("GIF89a\0\0\1\0"s).error().message, "The gif " + damaged) << "no width";
  EXPECT_EQ(image_info("\xFF\xD8\xFF\xDA\0\x0CXXXXXXXXXXXXXX"s).error().message,
            "The jpeg " + damaged)
      << "no frame";
  EXPECT_EQ(image_info("\xFF\xD8\xFF\xE0\0\0"s).error().message, "The jpeg " + damaged)
      << "a segment without length";
  EXPECT_FALSE(image_info("RIFF\x1E\0\0\0WEBPVP8L\x12\0\0\0\0\0\0\0\0"s)) << "no signature";
}

TEST(ImageInfo, NamesAreBedrocks) {
  for (const auto format :
       {ImageFormat::png, ImageFormat::jpeg, ImageFormat::gif, ImageFormat::webp})
    EXPECT_EQ(image_format_of(name_of(format)), format);
  EXPECT_EQ(image_format_of("jpg"), std::nullopt);
  EXPECT_EQ(image_format_of("PNG"), std::nullopt);
}

}  // namespace
}  // namespace craton::media
