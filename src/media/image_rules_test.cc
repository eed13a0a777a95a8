#include "media/image_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace craton::media {
namespace {

constexpr std::string_view place = "messages.0.content.2.image.source.bytes";

template <class T>
std::string message_of(const Result<T>& result) {
  if (result) return "";
  EXPECT_EQ(result.error().code, ErrorCode::validation);
  return result.error().message;
}

/// A GIF as far as its header.
std::string gif(int width, int height) {
  std::string bytes = "GIF89a";
  for (const int side : {width, height}) {
    bytes += static_cast<char>(side);
    bytes += static_cast<char>(side >> 8);
  }
  return bytes;
}

/// `bytes` as an image that is said to be `said`.
Result<ImageInfo> checked(std::optional<ImageFormat> said, std::string_view bytes,
                          std::string_view inside = {}) {
  return check_image({std::string(place), inside, said, bytes});
}

TEST(ImageRules, SizesAreMeasuredInBase64) {
  EXPECT_EQ(message_of(check_image_size(place, 3'932'160)), "") << "5 MiB of base64";
  EXPECT_EQ(message_of(check_image_size(place, 3'932'161)),
            "messages.0.content.2.image.source.bytes: image exceeds 5 MB maximum: 5242884 bytes > "
            "5242880 bytes");
  EXPECT_EQ(message_of(check_image_size(place, 5'375'889)),
            "messages.0.content.2.image.source.bytes: image exceeds 5 MB maximum: 7167852 bytes > "
            "5242880 bytes");
}

TEST(ImageRules, SidesHave8000PixelsAtMost) {
  EXPECT_EQ(message_of(checked(ImageFormat::gif, gif(8000, 8000))), "");
  for (const auto& bytes : {gif(8001, 1), gif(1, 8001)}) {
    EXPECT_EQ(
        message_of(checked(ImageFormat::gif, bytes)),
        "messages.0.content.2.image.source.bytes: At least one of the image dimensions exceed max "
        "allowed size: 8000 pixels");
  }
}

TEST(ImageRules, TheLabelIsWhatTheBytesAre) {
  EXPECT_EQ(
      message_of(checked(ImageFormat::jpeg, gif(1, 1))),
      "messages.0.content.2.image.source.bytes: The image was specified using the image/jpeg media "
      "type, but the image appears to be a image/gif image");
}

TEST(ImageRules, WhatIsNoImageCannotBeProcessed) {
  EXPECT_EQ(message_of(checked(ImageFormat::png, "no image")),
            "messages.0.content.2.image.source.bytes: Could not process image");
  EXPECT_EQ(message_of(checked(ImageFormat::gif, "GIF89a")),
            "messages.0.content.2.image.source.bytes: Could not process image");
}

TEST(ImageRules, OneRequestHas20) {
  EXPECT_EQ(message_of(check_image_count("messages", {20, 5})), "");
  EXPECT_EQ(message_of(check_image_count("messages", {21, 0})),
            "messages: too many images and documents: 21 + 0 > 20");
}

TEST(ImageRules, ALabelMayBeLeftOut) { EXPECT_EQ(message_of(checked({}, gif(1, 1))), ""); }

TEST(ImageRules, WhatIsInsideMayHaveAPlaceOfItsOwn) {
  EXPECT_THAT(message_of(checked({}, gif(1, 8001), ".data")),
              testing::StartsWith("messages.0.content.2.image.source.bytes.data: At least one"));
  EXPECT_EQ(message_of(checked({}, "no image", ".data")),
            "messages.0.content.2.image.source.bytes.data: Could not process image");
  EXPECT_THAT(message_of(checked(ImageFormat::png, gif(1, 1), ".data")),
              testing::StartsWith("messages.0.content.2.image.source.bytes: The image was"));
}

TEST(ImageRules, GivesTheImage) {
  EXPECT_EQ(checked(ImageFormat::gif, gif(300, 2)).value(), (ImageInfo{ImageFormat::gif, 300, 2}));
}

}  // namespace
}  // namespace craton::media
