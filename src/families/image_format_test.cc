#include "families/image_format.h"

#include <gtest/gtest.h>

#include <utility>

namespace craton::families {
namespace {

TEST(ImageFormat, IsToldByTheFirstBytes) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> files[] = {
      {"\x89PNG\r\n\x1A\n..."sv, "png"},
      {"\xFF\xD8\xFF\xE0..."sv, "jpeg"},
      {"GIF87a..."sv, "gif"},
      {"GIF89a..."sv, "gif"},
      {"RIFF\x04\x00\x00\x00WEBPVP8 "sv, "webp"},
      {"RIFF\x04\x00\x00\x00WAVE"sv, ""},
      {"RIFF"sv, ""},
      {"\x89PNG"sv, ""},
      {""sv, ""},
      {"BM..."sv, ""},
  };
  for (const auto& [bytes, format] : files) EXPECT_EQ(image_format(bytes), format) << bytes;
}

}  // namespace
}  // namespace craton::families
