// The engine over the real craton-diffusion, with a model of random weights.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engines/diffusion/diffusion_engine.h"
#include "engines/diffusion/prompt.h"
#include "engines/diffusion/test_drawing.h"
#include "engines/diffusion/tiny_diffusion_model.h"

namespace craton::engines::diffusion {
namespace {

namespace fs = std::filesystem;

/// The model and its engine, once for all tests.
class TinyModel : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string pattern = (fs::temp_directory_path() / "craton-diffusion-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    TinyDiffusionModel::write_model(folder_ / "tiny.safetensors");
    TinyDiffusionModel::write_taesd(folder_ / "taesd.safetensors");
    engine_ = load(options());
    ASSERT_EQ(engine_->status().state, State::ready) << engine_->status().reason;
  }
  static void TearDownTestSuite() {
    engine_.reset();
    fs::remove_all(folder_);
  }

  static DiffusionOptions options() {
    return {.path = folder_ / "tiny.safetensors",
            .taesd = folder_ / "taesd.safetensors",
            .threads =
                1,  // several wait for each other in a loop, which others on the machine make long
            .program = CRATON_DIFFUSION_WORKER};
  }

  static std::unique_ptr<Engine> load(DiffusionOptions options) {
    auto engine = make_diffusion_engine(std::move(options));
    wait_until_loaded(*engine);
    return engine;
  }

  static Drawings draw(const DrawingRequest& request) {
    auto drawing = engine_->draw(request, {});
    if (!drawing) throw std::runtime_error(drawing.error().message);
    auto outcome = outcome_of(**drawing);
    if (!outcome) throw std::runtime_error(outcome.error().error.message);
    return *std::move(outcome);
  }
  static Picture picture(const DrawingRequest& request) { return draw(request).pictures.at(0); }

  static fs::path folder_;
  static std::unique_ptr<Engine> engine_;
};
fs::path TinyModel::folder_;
std::unique_ptr<Engine> TinyModel::engine_;

TEST_F(TinyModel, IsKnownByItsFile) {
  EXPECT_TRUE(is_diffusion(folder_ / "tiny.safetensors"));
  EXPECT_FALSE(is_diffusion(folder_ / "taesd.safetensors"));
}

TEST_F(TinyModel, DrawsTheSameAgainFromTheSameSeed) {
  DrawingRequest request = asking("a red hat", 1);
  request.seed = 7;
  request.count = 2;
  const Drawings drawings = draw(request);
  ASSERT_EQ(drawings.pictures.size(), 2u);
  const Picture& first = drawings.pictures[0];
  EXPECT_EQ(first.width, 64);
  EXPECT_EQ(first.height, 64);
  EXPECT_GT(std::set(first.rgba.begin(), first.rgba.end()).size(), 3u) << "one color";
  EXPECT_EQ(draw(request).pictures, drawings.pictures);
  EXPECT_NE(drawings.pictures[1], first);
  request.seed = 8;
  request.count = 1;
  EXPECT_EQ(picture(request), drawings.pictures[1]);
}

TEST_F(TinyModel, HearsTheRequest) {
  DrawingRequest request = asking("a red hat", 1);
  std::vector<Picture> different{picture(request)};
  const auto add = [&](auto change) {
    DrawingRequest changed = request;
    change(changed);
    Picture made = picture(changed);
    EXPECT_EQ(std::ranges::count(different, made), 0);
    different.push_back(std::move(made));
  };
  add([](auto& r) { r.prompts[0].text = "a blue coat"; });
  add([](auto& r) { r.prompts[0].weight = 1.5; });
  add([](auto& r) { r.prompts.push_back({"rain", -1}); });
  add([](auto& r) { r.style = "comic-book"; });
  add([](auto& r) { r.guidance = 1; });
  add([](auto& r) { r.steps = 2; });
}

TEST_F(TinyModel, DrawsAnySize) {
  DrawingRequest request = asking("a hat", 1);
  request.width = 100;
  request.height = 60;
  const Picture made = picture(request);
  EXPECT_EQ(made.width, 100);
  EXPECT_EQ(made.height, 60);
  EXPECT_EQ(made.rgba.size(), 100u * 60 * 4);
}

TEST_F(TinyModel, HasEverySampler) {
  DrawingRequest request = asking("a hat");
  request.guidance = 1;  // half of the work
  for (const char* name :
       {"DDIM", "DDPM", "K_DPMPP_2M", "K_DPMPP_2S_ANCESTRAL", "K_DPM_2", "K_DPM_2_ANCESTRAL",
        "K_EULER", "K_EULER_ANCESTRAL", "K_HEUN", "K_LMS"}) {
    request.sampler = name;
    EXPECT_EQ(picture(request).rgba.size(), 64u * 64 * 4) << name;
  }
}

TEST_F(TinyModel, DrawsUponASource) {
  DrawingRequest request = asking("a hat", 2);
  request.task = DrawingTask::image_to_image;
  request.strength = 0.5;
  request.sources = {plain(80, 80, 250, 10, 10)};
  const Picture red = picture(request);
  EXPECT_EQ(red.width, 64);
  EXPECT_EQ(picture(request), red);
  request.sources = {plain(80, 80, 10, 10, 250)};
  EXPECT_NE(picture(request), red);
}

TEST_F(TinyModel, LeavesWhatTheMaskDoesNotCover) {
  DrawingRequest request = asking("a hat");
  request.task = DrawingTask::inpaint;
  request.width = request.height = 96;
  request.sources = {plain(96, 96, 250, 10, 10)};
  request.mask = left_half(96, 96);
  const Picture made = picture(request);
  int changed = 0;
  for (std::size_t i = 0; i < made.rgba.size(); i += 4) {
    const bool same = std::equal(&made.rgba[i], &made.rgba[i] + 4, &request.sources[0].rgba[i]);
    const bool covered = request.mask->change[i / 4] != 0;
    EXPECT_TRUE(same || covered) << i;
    changed += same ? 0 : 1;
  }
  EXPECT_GT(changed, 96 * 40);
}

TEST_F(TinyModel, IsTheSameAfterADrawingThatWasLeft) {
  const DrawingRequest request = asking("a red hat", 1);
  const Picture before = picture(request);
  const auto drawing = *engine_->draw(asking("a hat", 1000), {});
  while (engine_->stats().drawn == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  drawing->cancel();
  const auto then = std::chrono::steady_clock::now();
  EXPECT_EQ(picture(request), before);
  EXPECT_LT(std::chrono::steady_clock::now() - then, std::chrono::seconds(60));
}

TEST_F(TinyModel, ReadsAnyPrompt) {
  std::string words;
  while (words.size() < 600) words += "a (red:1.2) hat, ";
  for (const std::string& text :
       {std::string(), std::string(60'000, ' '), std::string(2'000, 'a'), std::string(2'000, '('),
        words, std::string("hi :.) BREAK (a:1.2.3) (b:+.) [] ((()\\ \xf0\x9f\x8e\xa9 \xff\xfe"),
        std::string("a\0b", 3)}) {
    DrawingRequest request = asking(text, 1);
    request.guidance = 1;
    EXPECT_EQ(picture(request).rgba.size(), 64u * 64 * 4) << text.substr(0, 20);
  }
}

TEST_F(TinyModel, SaysWhatIsMissing) {
  DiffusionOptions missing = options();
  missing.path = folder_ / "none.safetensors";
  const auto engine = load(missing);
  EXPECT_EQ(engine->status().state, State::failed);
  EXPECT_NE(engine->status().reason.find("none.safetensors"), std::string::npos)
      << engine->status().reason;

  DiffusionOptions without = options();
  without.taesd.clear();
  const auto incomplete = load(without);
  EXPECT_EQ(incomplete->status().state, State::failed);
  EXPECT_NE(incomplete->status().reason.find("first_stage_model."), std::string::npos)
      << incomplete->status().reason;
}

}  // namespace
}  // namespace craton::engines::diffusion
