#include "engines/diffusion/drawing_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engines/diffusion/test_drawing.h"

namespace craton::engines::diffusion {
namespace {

Draw draw_of(DrawingRequest request, const DrawingDefaults& defaults = {}, int n = 0) {
  EXPECT_TRUE(check(request));
  return DrawingPlan::make(std::move(request), defaults)->draw(n, 1);
}

TEST(DrawingPlan, TellsWhatIsWanted) {
  DrawingRequest request = asking("a hat");
  request.prompts.push_back({"rain", -1});
  request.seed = 41;
  request.guidance = 9;
  request.sampler = "DDPM";
  request.width = 100;
  EXPECT_EQ(draw_of(request, {}, 1), (Draw{.id = 1,
                                           .width = 128,
                                           .height = 64,
                                           .steps = 2,
                                           .seed = 42,
                                           .guidance = 9,
                                           .eta = 1,
                                           .sampler = "ddim_trailing",
                                           .prompt = "a hat",
                                           .negative_prompt = "rain"}));
}

TEST(DrawingPlan, TakesWhatIsNotToldFromTheConfiguration) {
  DrawingRequest request = asking("a hat");
  request.steps.reset();
  const Draw draw = draw_of(request, {.steps = 4, .sampler = find_sampler("lcm")});
  EXPECT_EQ(draw.steps, 4u);
  EXPECT_EQ(draw.sampler, "lcm");
  EXPECT_EQ(draw_of(request).sampler, "");
}

TEST(DrawingPlan, FollowsAFlowInTheModelsOwnWay) {
  DrawingRequest request = asking("a hat");
  request.sampler = "DDIM";
  request.guidance = 4;
  const Draw flow = draw_of(request, {.kind = WeightsKind::flow});
  EXPECT_EQ(flow.sampler, "");
  EXPECT_EQ(flow.guidance, 4);
  EXPECT_EQ(flow.distilled_guidance, 0);
  const Draw distilled = draw_of(request, {.kind = WeightsKind::distilled});
  EXPECT_EQ(distilled.guidance, 1);
  EXPECT_EQ(distilled.distilled_guidance, 4);
}

TEST(DrawingPlan, SendsNumbersThatTheLibraryTakes) {
  DrawingRequest request = asking("a hat");
  request.seed = std::numeric_limits<std::uint64_t>::max();
  request.guidance = std::nan("");
  request.strength = 7;
  const Draw draw = draw_of(request, {}, 3);
  EXPECT_EQ(draw.seed, 2u);
  EXPECT_EQ(draw.guidance, 1);
  EXPECT_EQ(draw.strength, 1);
}

TEST(DrawingPlan, PutsSourceAndMaskOnOneFrame) {
  DrawingRequest request = asking("a hat");
  request.task = DrawingTask::inpaint;
  request.width = 32;
  request.height = 32;
  request.sources = {plain(8, 8, 1, 2, 3)};
  request.mask = left_half(8, 8);
  const auto plan = DrawingPlan::make(request, {});
  const Draw draw = plan->draw(0, 1);
  EXPECT_EQ(draw.source.size(), 64u * 64 * 3);
  EXPECT_EQ(draw.source.substr(0, 3), "\1\2\3");
  EXPECT_EQ(draw.mask.size(), 64u * 64);
  EXPECT_EQ(draw.mask[0], '\xff');
  EXPECT_EQ(draw.mask[63], '\0');

  // What lies outside of the mask comes back as it was.
  const auto picture =
      plan->picture({.id = 1, .width = 64, .height = 64, .rgb = std::string(64 * 64 * 3, '\7')});
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->width, 32);
  EXPECT_EQ(picture->rgba.size(), 32u * 32 * 4);
  EXPECT_EQ(picture->rgba[0], 7);
  EXPECT_EQ(picture->rgba[4 * 31 + 1], 2);
  EXPECT_FALSE(plan->picture({.id = 1, .width = 32, .height = 32, .rgb = ""}));
  EXPECT_EQ(plan->mask(), request.mask);
}

TEST(DrawingPlan, LeavesASourceThatIsNotToChange) {
  DrawingRequest request = asking("a hat");
  request.task = DrawingTask::image_to_image;
  request.sources = {plain(64, 64, 1, 2, 3)};
  request.strength = 0;
  EXPECT_EQ(DrawingPlan::make(request, {})->undrawn(), request.sources[0]);
  request.strength = 0.1;
  EXPECT_FALSE(DrawingPlan::make(request, {})->undrawn());
}

struct Refusal {
  const char* name;
  std::function<void(DrawingRequest&)> change;
  const char* says;
};
const Refusal refusals[] = {
    {"background", [](auto& r) { r.task = DrawingTask::background_removal; }, "no backgrounds"},
    {"colors", [](auto& r) { r.task = DrawingTask::color_guided; }, "not guided by colors"},
    {"control", [](auto& r) { r.control = DrawingControl{}; }, "edges or segments"},
    {"mask_prompt", [](auto& r) { r.mask_prompt = "the hat"; }, "Send a mask image"},
    {"no_source", [](auto& r) { r.task = DrawingTask::image_to_image; }, "An image is needed"},
    {"two_sources",
     [](auto& r) {
       r.task = DrawingTask::image_to_image;
       r.sources = {plain(1, 1, 0, 0, 0), plain(1, 1, 0, 0, 0)};
     },
     "one image at a time, and 2"},
    {"no_mask",
     [](auto& r) {
       r.task = DrawingTask::outpaint;
       r.sources = {plain(1, 1, 0, 0, 0)};
     },
     "A mask image is needed"},
    {"no_size", [](auto& r) { r.width = 0; }, "no image of 0 x 64"},
    {"wide", [](auto& r) { r.width = 100'000; }, "no image of 100000 x 64"},
    {"large", [](auto& r) { r.width = r.height = 4096; }, "no image of 4096 x 4096"},
    {"none", [](auto& r) { r.count = 0; }, "1 to 16 images"},
    {"many", [](auto& r) { r.count = 17; }, "1 to 16 images"},
    {"no_steps", [](auto& r) { r.steps = 0; }, "1 to 1000 steps"},
    {"sampler", [](auto& r) { r.sampler = "K_FOO"; }, "no sampler K_FOO. Name one of DDIM"},
    {"long", [](auto& r) { r.prompts = {{std::string(70'000, 'x'), 1}}; }, "Shorten it"},
};

TEST(DrawingPlan, IsRefusedWhereTheModelCannot) {
  for (const Refusal& refusal : refusals) {
    DrawingRequest request = asking("a hat");
    refusal.change(request);
    const auto checked = check(request);
    ASSERT_FALSE(checked) << refusal.name;
    EXPECT_EQ(checked.error().code, ErrorCode::validation) << refusal.name;
    EXPECT_NE(checked.error().message.find(refusal.says), std::string::npos)
        << checked.error().message;
  }
}

}  // namespace
}  // namespace craton::engines::diffusion
