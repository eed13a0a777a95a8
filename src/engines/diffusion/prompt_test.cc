#include "engines/diffusion/prompt.h"

#include <gtest/gtest.h>

namespace craton::engines::diffusion {
namespace {

std::string prompt(std::string text) {
  return prompts_of(DrawingRequest{.prompts = {{std::move(text), 1}}})->prompt;
}

TEST(Prompts, OfNegativeWeightAreTheNegativePrompt) {
  const auto prompts = prompts_of(DrawingRequest{
      .prompts = {{"a hat", 1}, {"rain", -1}, {"red", 1.5}, {"snow", -0.25}, {"none", 0}}});
  EXPECT_EQ(*prompts, (Prompts{"a hat, (red:1.500)", "rain, (snow:0.250)"}));
}

TEST(Prompts, BeginWithNothing) { EXPECT_EQ(*prompts_of(DrawingRequest{}), Prompts()); }

TEST(Prompts, TakeTheStyleIn) {
  const auto prompts = prompts_of(DrawingRequest{.prompts = {{"a hat", 1}}, .style = "comic-book"});
  EXPECT_EQ(prompts->prompt, "a hat, comic book style");
}

TEST(Prompts, KeepWeightsOfWords) {
  EXPECT_EQ(prompt("a (red:1.2) hat, (big), [old:-.5]"), "a (red:1.2) hat, (big), [old:-.5]");
}

// stable-diffusion.cpp ends at a weight that is no number.
TEST(Prompts, TakeNoWeightFromWhatIsNone) {
  EXPECT_EQ(prompt("hi :.)"), "hi : .)");
  EXPECT_EQ(prompt("(a:1.2.3) (b:+.)"), "(a: 1.2.3) (b: +.)");
  EXPECT_EQ(prompt("(a:" + std::string(60, '9') + ")"), "(a: " + std::string(60, '9') + ")");
  EXPECT_EQ(prompt("a:b :) :-) ::5) 12:30"), "a:b :) :-) ::5) 12:30");
  EXPECT_EQ(prompt(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(prompt("a \t\n b" + std::string(60'000, ' ')), "a b ");
}

TEST(Prompts, ThatAreTooLongAreRefused) {
  const auto prompts = prompts_of(DrawingRequest{.prompts = {{std::string(70'000, 'x'), 1}}});
  ASSERT_FALSE(prompts);
  EXPECT_EQ(prompts.error().code, ErrorCode::validation);
}

TEST(Samplers, HaveTheNamesOfSdxlsSchemaAndTheLibrarys) {
  EXPECT_EQ(sampler_names(),
            "DDIM, DDPM, K_DPMPP_2M, K_DPMPP_2S_ANCESTRAL, K_DPM_2, K_DPM_2_ANCESTRAL, K_EULER, "
            "K_EULER_ANCESTRAL, K_HEUN, K_LMS");
  EXPECT_EQ(find_sampler("K_EULER")->library, "euler");
  EXPECT_EQ(find_sampler("lcm")->library, "lcm");
  EXPECT_EQ(find_sampler(""), nullptr);
  EXPECT_EQ(find_sampler("k_euler"), nullptr);
}

}  // namespace
}  // namespace craton::engines::diffusion
