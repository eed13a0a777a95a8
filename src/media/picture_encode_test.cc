#include "media/picture_encode.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "media/picture_decode.h"

namespace craton::media {
namespace {

/// A picture that is smooth, as what is drawn.
Picture test_picture(int width, int height, bool opaque) {
  Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int alpha = opaque ? 255 : x * 255 / width;
      for (const int value : {x * 255 / width, y * 255 / height, (x + y) % 256, alpha})
        picture.rgba.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return picture;
}

constexpr FileText texts[] = {{"Software", "Craton"}, {"Comment", "drawn by hand"}};

struct Case {
  const char* name;
  ImageFormat format;
  int tolerance;
};

class EncodedPicture : public testing::TestWithParam<Case> {};

TEST_P(EncodedPicture, IsDecodedToNearlyTheSame) {
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 5}, {64, 48}, {96, 70}}) {
    const Picture picture = test_picture(width, height, true);
    const std::string bytes = encode_picture(picture, GetParam().format, texts);
    EXPECT_EQ(image_info(bytes).value(),
              (ImageInfo{GetParam().format, static_cast<std::uint32_t>(width),
                         static_cast<std::uint32_t>(height)}));
    const Picture back = decode_picture(bytes, 1 << 20).value();
    double error = 0;
    for (std::size_t i = 0; i < picture.rgba.size(); ++i)
      error += std::abs(picture.rgba[i] - back.rgba[i]);
    EXPECT_LE(error / static_cast<double>(picture.rgba.size()), GetParam().tolerance);
  }
}

TEST_P(EncodedPicture, CarriesItsTexts) {
  const Picture picture = test_picture(8, 8, true);
  const std::string bytes = encode_picture(picture, GetParam().format, texts);
  EXPECT_NE(bytes.find("Craton"), bytes.npos);
  EXPECT_NE(bytes.find("drawn by hand"), bytes.npos);
  EXPECT_EQ(encode_picture(picture, GetParam().format).find("Craton"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Formats, EncodedPicture,
                         testing::Values(Case{"png", ImageFormat::png, 0},
                                         Case{"jpeg", ImageFormat::jpeg, 4},
                                         Case{"webp", ImageFormat::webp, 12}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(PictureEncode, PngKeepsAlphaWhereThereIsSome) {
  const Picture picture = test_picture(31, 17, false);
  EXPECT_EQ(decode_picture(encode_picture(picture, ImageFormat::png), 1 << 20).value(), picture);
  const Picture opaque = test_picture(31, 17, true);
  EXPECT_EQ(encode_picture(opaque, ImageFormat::png)[25], 2) << "RGB";
  EXPECT_EQ(encode_picture(picture, ImageFormat::png)[25], 6) << "RGBA";
}

TEST(PictureEncode, JpegShowsWhatIsTransparentOnWhite) {
  const Picture clear{8, 8, std::vector<std::uint8_t>(8 * 8 * 4)};
  const Picture back = decode_picture(encode_picture(clear, ImageFormat::jpeg), 1 << 20).value();
  EXPECT_GE(back.rgba[0], 253);
}

}  // namespace
}  // namespace craton::media
