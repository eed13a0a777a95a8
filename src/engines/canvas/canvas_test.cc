// What is drawn, whatever the fonts of the machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "engines/canvas/draw.h"
#include "engines/canvas/edits.h"
#include "engines/canvas/test_pictures.h"

namespace craton::engines::canvas {
namespace {

Drawings drawn(const DrawingRequest& request) {
  static Lettering lettering;
  return draw(request, lettering, [] { return false; }).value();
}

DrawingRequest of_words(const std::string& words, int width = 256, int height = 192) {
  DrawingRequest request;
  request.prompts = {{words, 1}};
  request.width = width;
  request.height = height;
  request.seed = 7;
  return request;
}

DrawingRequest of_source(DrawingTask task, int width = 120, int height = 90) {
  DrawingRequest request = of_words("a boat", width, height);
  request.task = task;
  request.sources = {disc_on_ground(width, height)};
  return request;
}

bool is_whole(const Picture& picture, int width, int height) {
  return picture.width == width && picture.height == height &&
         picture.rgba.size() ==
             static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4;
}

TEST(Canvas, TheSameRequestGivesTheSamePictureAndAnotherGivesAnother) {
  const DrawingRequest request = of_words("a lighthouse at dusk");
  const Drawings first = drawn(request);
  EXPECT_EQ(first.pictures, drawn(request).pictures);
  EXPECT_EQ(first.stand_in, "drawn without a model");
  EXPECT_EQ(first.mask, std::nullopt);
  for (const auto change : {+[](DrawingRequest& other) { other.seed = 8; },
                            +[](DrawingRequest& other) { other.prompts[0].text = "a boat"; },
                            +[](DrawingRequest& other) { other.style = "anime"; },
                            +[](DrawingRequest& other) { other.prompts.push_back({"fog", -1}); }}) {
    DrawingRequest other = request;
    change(other);
    EXPECT_NE(first.pictures[0], drawn(other).pictures[0]);
  }
}

TEST(Canvas, TheNthPictureHasTheSeedThatIsNHigher) {
  DrawingRequest request = of_words("a lighthouse");
  request.count = 3;
  const Drawings three = drawn(request);
  ASSERT_EQ(three.pictures.size(), 3u);
  request.count = 1;
  request.seed += 2;
  EXPECT_EQ(three.pictures[2], drawn(request).pictures[0]);
}

TEST(Canvas, AnySizeIsDrawn) {
  for (const auto& [width, height] :
       {std::pair{1, 1}, {1, 300}, {300, 1}, {9, 9}, {64, 40}, {1536, 640}, {320, 1280}}) {
    EXPECT_TRUE(
        is_whole(drawn(of_words("a boat on a pond", width, height)).pictures[0], width, height));
    for (const DrawingTask task :
         {DrawingTask::image_to_image, DrawingTask::inpaint, DrawingTask::background_removal}) {
      DrawingRequest request = of_source(task, width, height);
      if (task == DrawingTask::inpaint) request.mask = left_half(width, height);
      EXPECT_TRUE(is_whole(drawn(request).pictures[0], width, height));
    }
  }
}

TEST(Canvas, AnyTextIsDrawn) {
  for (const std::string& words :
       {std::string(), std::string(10'000, 'x'), std::string("한강의 불꽃놀이, 밤하늘"),
        std::string("\xF0\x9F\x90\x88 \xEF\xBF\xBF \x01\x7F"), std::string(3000, ' ')}) {
    EXPECT_TRUE(is_whole(drawn(of_words(words)).pictures[0], 256, 192));
  }
}

TEST(Canvas, StrengthIsHowFarARedrawnPictureIsFromItsSource) {
  DrawingRequest request = of_source(DrawingTask::image_to_image);
  request.strength = 0;
  EXPECT_EQ(drawn(request).pictures[0], request.sources[0]);
  const auto distance = [&](double strength) {
    request.strength = strength;
    const Picture picture = drawn(request).pictures[0];
    long sum = 0;
    for (std::size_t i = 0; i < picture.rgba.size(); ++i)
      sum += std::abs(picture.rgba[i] - request.sources[0].rgba[i]);
    return sum;
  };
  EXPECT_LT(distance(0.1), distance(0.5));
  EXPECT_LT(distance(0.5), distance(1));
}

TEST(Canvas, OnlyWhatAMaskLetsChanges) {
  for (const DrawingTask task : {DrawingTask::inpaint, DrawingTask::outpaint}) {
    for (const bool words : {true, false}) {
      DrawingRequest request = of_source(task);
      if (!words) request.prompts.clear();
      request.mask = left_half(120, 90);
      const Drawings made = drawn(request);
      EXPECT_EQ(made.mask, request.mask);
      const Picture& picture = made.pictures[0];
      bool changed = false;
      for (std::size_t i = 0; i < request.mask->change.size(); ++i) {
        const bool same = std::equal(&picture.rgba[i * 4], &picture.rgba[i * 4] + 4,
                                     &request.sources[0].rgba[i * 4]);
        if (request.mask->change[i] == 0) {
          ASSERT_TRUE(same) << i;
        }
        changed = changed || !same;
      }
      EXPECT_TRUE(changed);
    }
  }
}

TEST(Canvas, WordsGiveAMaskWhichOutpaintingKeeps) {
  DrawingRequest request = of_source(DrawingTask::inpaint);
  request.mask_prompt = "the boat";
  const Mask inside = drawn(request).mask.value();
  EXPECT_EQ(inside, drawn(request).mask.value());
  EXPECT_TRUE(std::ranges::count(inside.change, 255) > 0);
  EXPECT_TRUE(std::ranges::count(inside.change, 0) > 0);
  request.mask_prompt = "the sky above it";
  EXPECT_NE(drawn(request).mask.value(), inside);
  request.task = DrawingTask::outpaint;
  request.mask_prompt = "the boat";
  Mask outside = drawn(request).mask.value();
  turn(outside);
  EXPECT_EQ(outside, inside);
}

TEST(Canvas, ASecondSourceFillsTheMask) {
  DrawingRequest request = of_source(DrawingTask::inpaint);
  const Picture red{8, 8, [] {
                      std::vector<std::uint8_t> rgba;
                      for (int i = 0; i < 64; ++i) rgba.insert(rgba.end(), {255, 0, 0, 255});
                      return rgba;
                    }()};
  request.sources.push_back(red);
  request.mask = left_half(120, 90);
  const Picture picture = drawn(request).pictures[0];
  EXPECT_EQ(picture.rgba[0], 255);
  EXPECT_EQ(picture.rgba[1], 0);
}

TEST(Canvas, ColorsAreUsed) {
  DrawingRequest request = of_words("", 64, 64);
  request.prompts.clear();
  request.task = DrawingTask::color_guided;
  request.colors = {{255, 0, 0}};
  for (const bool with_source : {false, true}) {
    if (with_source) request.sources = {disc_on_ground(64, 64)};
    const Picture picture = drawn(request).pictures[0];
    for (std::size_t i = 0; i < picture.rgba.size(); i += 4)
      ASSERT_TRUE(picture.rgba[i] >= 250 && picture.rgba[i + 1] <= 5) << i;
  }
}

TEST(Canvas, TheBackgroundBecomesTransparent) {
  const Picture picture = drawn(of_source(DrawingTask::background_removal)).pictures[0];
  EXPECT_EQ(picture.rgba[3], 0) << "the corner";
  EXPECT_EQ(pixel_at(picture, 60, 45)[3], 255) << "the disc";
  EXPECT_EQ(pixel_at(picture, 60, 45)[2], 120);
  show(picture, "background_removal");
}

TEST(Canvas, ControlIsFollowed) {
  for (const auto kind : {DrawingControl::Kind::edges, DrawingControl::Kind::segments}) {
    DrawingRequest request = of_words("");
    request.prompts.clear();
    const Picture without = drawn(request).pictures[0];
    request.control = DrawingControl{kind, 0, disc_on_ground(64, 48)};
    EXPECT_EQ(drawn(request).pictures[0], without) << "a strength of none";
    request.control->strength = 1;
    const Picture with = drawn(request).pictures[0];
    EXPECT_NE(with, without);
    show(with, kind == DrawingControl::Kind::edges ? "control_edges" : "control_segments");
  }
}

TEST(Canvas, StopsBetweenPictures) {
  DrawingRequest request = of_words("a boat");
  request.count = 5;
  Lettering lettering;
  int asked = 0;
  EXPECT_EQ(draw(request, lettering, [&] { return ++asked == 3; }).has_value(), false);
  EXPECT_EQ(asked, 3);
}

// What people look at; the test that it is fast is bench's.
TEST(Canvas, ShowsItself) {
  int number = 0;
  for (const char* words :
       {"A lighthouse at dusk, waves below it", "한강의 불꽃놀이, 강변에 앉은 사람들",
        "a tin robot watering plants in a greenhouse, morning light"}) {
    for (const char* style : {"", "line-art", "pixel-art", "neon-punk"}) {
      DrawingRequest request = of_words(words, 512, 512);
      request.style = style;
      request.seed = static_cast<std::uint64_t>(number);
      show(drawn(request).pictures[0], "words_" + std::to_string(number++));
    }
  }
  DrawingRequest masked = of_source(DrawingTask::inpaint, 512, 384);
  masked.mask_prompt = "the disc";
  show(drawn(masked).pictures[0], "inpaint");
}

}  // namespace
}  // namespace craton::engines::canvas
