#include "engines/diffusion/diffusion_engine.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>
#include <vector>

#include "engines/diffusion/test_drawing.h"

namespace craton::engines::diffusion {
namespace {

using namespace std::chrono_literals;

/// Over a worker that does what a prompt says; `model` says how it loads.
std::unique_ptr<Engine> engine_with(DiffusionOptions options) {
  options.program = CRATON_FAKE_WORKER;
  if (options.path.empty()) options.path = "/srv/models/tiny.gguf";
  return make_diffusion_engine(std::move(options));
}

std::unique_ptr<Engine> loaded(DiffusionOptions options = {}) {
  auto engine = engine_with(std::move(options));
  wait_until_loaded(*engine);
  EXPECT_EQ(engine->status().state, State::ready) << engine->status().reason;
  return engine;
}

std::shared_ptr<Drawing> begin(Engine& engine, const DrawingRequest& request,
                               const Limits& limits = {}) {
  auto drawing = engine.draw(request, limits);
  if (!drawing) throw std::runtime_error(drawing.error().message);
  return *drawing;
}

ErrorCode error_of(Drawing& drawing) {
  const auto outcome = outcome_of(drawing);
  return outcome ? throw std::runtime_error("it was drawn") : outcome.error().error.code;
}

ErrorCode error_of(Engine& engine, const std::string& prompt) {
  return error_of(*begin(engine, asking(prompt)));
}

/// Which process draws, as far as a byte says it.
int worker_of(Engine& engine) {
  return outcome_of(*begin(engine, asking("a hat")))->pictures[0].rgba[2];
}

/// Waits until a picture is under way.
void wait_until_drawing(Engine& engine) {
  for (int i = 0; i < 3000 && engine.stats().drawn == 0; ++i) std::this_thread::sleep_for(2ms);
}

TEST(DiffusionEngine, DrawsAsManyPicturesAsAreWantedOfTheSizeThatIsWanted) {
  const auto engine = loaded();
  EXPECT_EQ(engine->kind(), "diffusion");
  EXPECT_EQ(engine->model(), "tiny");
  EXPECT_TRUE(engine->capabilities().drawings);
  EXPECT_FALSE(engine->capabilities().text);
  DrawingRequest request = asking("a hat", 7);
  request.width = 100;
  request.height = 60;
  request.count = 3;
  request.seed = 20;
  const auto drawings = outcome_of(*begin(*engine, request));
  ASSERT_TRUE(drawings);
  ASSERT_EQ(drawings->pictures.size(), 3u);
  for (int n = 0; n < 3; ++n) {
    const Picture& picture = drawings->pictures[static_cast<std::size_t>(n)];
    EXPECT_EQ(picture.width, 100);
    EXPECT_EQ(picture.height, 60);
    ASSERT_EQ(picture.rgba.size(), 100u * 60 * 4);
    EXPECT_EQ(picture.rgba[0], 20 + n);
    EXPECT_EQ(picture.rgba[1], 7);
    EXPECT_EQ(picture.rgba[3], 255);
  }
  EXPECT_EQ(engine->stats().steps.count(), 21u);
  EXPECT_EQ(engine->stats().running, 0);
}

TEST(DiffusionEngine, DrawsUponASourceAndLeavesWhatTheMaskDoesNotCover) {
  const auto engine = loaded();
  DrawingRequest request = asking("a hat");
  request.task = DrawingTask::image_to_image;
  request.sources = {plain(64, 64, 1, 2, 3)};
  EXPECT_EQ(outcome_of(*begin(*engine, request))->pictures[0], plain(64, 64, 254, 253, 252));
  request.task = DrawingTask::inpaint;
  request.mask = left_half(64, 64);
  const auto drawings = outcome_of(*begin(*engine, request));
  EXPECT_EQ(drawings->mask, request.mask);
  EXPECT_EQ(drawings->pictures[0].rgba[0], 254);
  EXPECT_EQ(drawings->pictures[0].rgba[4 * 32], 1);
  request.strength = 0;
  request.count = 2;
  EXPECT_EQ(outcome_of(*begin(*engine, request))->pictures,
            std::vector<Picture>(2, request.sources[0]));
}

TEST(DiffusionEngine, RefusesWhatItCannot) {
  const auto engine = loaded();
  DrawingRequest request = asking("a hat");
  request.task = DrawingTask::background_removal;
  EXPECT_EQ(engine->draw(request, {}).error().code, ErrorCode::validation);
  EXPECT_EQ(engine->generate({}, {}).error().code, ErrorCode::model_error);
  EXPECT_EQ(engine->count_tokens({}).error().code, ErrorCode::model_error);
}

struct Failing {
  const char* model;
  const char* reason;
};
const Failing failing[] = {
    {"/srv/models/no weights.gguf", "there is no tensor in /srv/models/tiny.gguf"},
    {"/srv/models/crash.gguf", "craton-diffusion has ended; it ended by signal 6 (Aborted)"},
    {"/srv/models/leave.gguf", "craton-diffusion has ended; it ended with status 7"},
    {"/srv/models/half.gguf", "craton-diffusion has ended; it ended with status 0"},
    {"/srv/models/babble.gguf",
     "craton-diffusion says what makes no sense; it ended by signal 9 (Killed)"},
    {"/srv/models/wrong way.gguf",
     "craton-diffusion says what makes no sense; it ended by signal 9 (Killed)"},
    {"/srv/models/hang.gguf",
     "craton-diffusion takes too long to load; it ended by signal 9 (Killed)"},
};

TEST(DiffusionEngine, SaysWhyAModelDoesNotLoad) {
  for (const Failing& each : failing) {
    const auto engine = engine_with({.path = each.model, .load_limit = 300ms});
    wait_until_loaded(*engine);
    EXPECT_EQ(engine->status().state, State::failed);
    EXPECT_EQ(engine->status().reason, each.reason);
    EXPECT_EQ(engine->draw(asking("a hat"), {}).error().code, ErrorCode::model_error);
  }
}

TEST(DiffusionEngine, IsNotReadyWhileItLoads) {
  const auto engine = engine_with({.path = "/srv/models/hang.gguf"});
  EXPECT_EQ(engine->status().state, State::loading);
  EXPECT_EQ(engine->draw(asking("a hat"), {}).error().code, ErrorCode::model_not_ready);
}

TEST(DiffusionEngine, SaysWhatIsMissingWithoutItsProgram) {
  const auto engine =
      make_diffusion_engine({.path = "/m/a.gguf", .program = "/there/is/no/craton-diffusion"});
  wait_until_loaded(*engine);
  EXPECT_EQ(engine->status().state, State::failed);
  EXPECT_EQ(engine->status().reason,
            "there is no /there/is/no/craton-diffusion, which draws. Build Craton with "
            "-DCRATON_DIFFUSION=ON, and keep it beside craton");
}

TEST(DiffusionEngine, TellsThoseWhoWaitThatItsWorkerCrashedAndStartsAnother) {
  for (const char* how : {"crash", "leave", "babble", "wrong way", "wrong size", "half"}) {
    const auto engine = loaded();
    const auto drawing = begin(*engine, asking("slow", 1000));
    const auto first = begin(*engine, asking(how));
    const auto second = begin(*engine, asking("a hat"));
    drawing->cancel();
    EXPECT_EQ(error_of(*first), ErrorCode::model_error) << how;
    EXPECT_EQ(error_of(*second), ErrorCode::model_error) << how;
    EXPECT_EQ(engine->status().state, State::ready);
    EXPECT_TRUE(outcome_of(*begin(*engine, asking("a hat")))) << how;
  }
}

TEST(DiffusionEngine, DoesNotStartItsWorkerAgainAndAgain) {
  const auto engine = loaded({.ends_max = 2, .ends_window = 700ms});
  EXPECT_EQ(error_of(*engine, "crash"), ErrorCode::model_error);
  EXPECT_TRUE(outcome_of(*begin(*engine, asking("a hat"))));
  EXPECT_EQ(error_of(*engine, "crash"), ErrorCode::model_error);
  EXPECT_EQ(error_of(*engine, "a hat"), ErrorCode::model_error);
  std::this_thread::sleep_for(800ms);
  EXPECT_TRUE(outcome_of(*begin(*engine, asking("a hat"))));
}

TEST(DiffusionEngine, GoesOnAfterADrawingThatCameToNothing) {
  const auto engine = loaded();
  const int worker = worker_of(*engine);
  EXPECT_EQ(error_of(*engine, "undone"), ErrorCode::model_error);
  EXPECT_EQ(worker_of(*engine), worker);
}

TEST(DiffusionEngine, StopsAtTheNextStepWhenNobodyWantsThePicture) {
  const auto engine = loaded();
  const int worker = worker_of(*engine);
  const auto drawing = begin(*engine, asking("slow", 1000));
  wait_until_drawing(*engine);
  const auto waiting = begin(*engine, asking("slow", 1000));
  waiting->cancel();
  drawing->cancel();
  const auto then = std::chrono::steady_clock::now();
  EXPECT_EQ(worker_of(*engine), worker);
  EXPECT_LT(std::chrono::steady_clock::now() - then, 10s);
  EXPECT_FALSE(drawing->take());
}

TEST(DiffusionEngine, EndsAWorkerThatDoesNotStop) {
  const auto engine = loaded({.cancel_grace = 100ms});
  const int worker = worker_of(*engine);
  const auto drawing = begin(*engine, asking("hang"));
  wait_until_drawing(*engine);
  const auto next = begin(*engine, asking("a hat"));
  drawing->cancel();
  const auto outcome = outcome_of(*next);
  ASSERT_TRUE(outcome);
  EXPECT_NE(outcome->pictures[0].rgba[2], worker);
}

TEST(DiffusionEngine, HoldsToDeadlines) {
  const auto engine = loaded({.cancel_grace = 100ms});
  const auto soon = [] { return Limits{.deadline = std::chrono::steady_clock::now() + 150ms}; };
  const auto drawing = begin(*engine, asking("slow", 1000), soon());
  const auto waiting = begin(*engine, asking("a hat"), soon());
  EXPECT_EQ(error_of(*waiting), ErrorCode::model_timeout);
  EXPECT_EQ(error_of(*drawing), ErrorCode::model_timeout);
  EXPECT_EQ(error_of(*begin(*engine, asking("hang"), soon())), ErrorCode::model_timeout);
  EXPECT_TRUE(outcome_of(*begin(*engine, asking("a hat"))));
}

TEST(DiffusionEngine, HoldsNoMoreRequestsThanItMay) {
  const auto engine = loaded({.waiting_max = 1});
  auto drawing = begin(*engine, asking("slow", 1000));
  wait_until_drawing(*engine);
  auto waiting = begin(*engine, asking("a hat"));
  EXPECT_EQ(engine->draw(asking("a hat"), {}).error().code, ErrorCode::throttling);
  EXPECT_EQ(engine->stats().queue_length, 1);
  EXPECT_EQ(engine->stats().running, 1);
  EXPECT_GT(engine->stats().drawn, 0);
  drawing->cancel();
  EXPECT_TRUE(outcome_of(*waiting));
  EXPECT_TRUE(outcome_of(*begin(*engine, asking("a hat"))));
}

TEST(DiffusionEngine, TakesThoseFirstThatComeFirst) {
  const auto engine = loaded();
  const auto drawing = begin(*engine, asking("slow", 1000));
  wait_until_drawing(*engine);
  std::mutex mutex;
  std::vector<std::string> order;
  std::vector<std::shared_ptr<Drawing>> all;
  const std::pair<Priority, std::string> asked[] = {{Priority::low, "low"},
                                                    {Priority::normal, "first"},
                                                    {Priority::normal, "second"},
                                                    {Priority::high, "high"}};
  for (const auto& [priority, told] : asked) {
    all.push_back(begin(*engine, asking("a hat"), {.priority = priority}));
    all.back()->notify([&mutex, &order, name = told] {
      const std::lock_guard lock(mutex);
      order.push_back(name);
    });
  }
  drawing->cancel();
  EXPECT_TRUE(outcome_of(*begin(*engine, asking("a hat"), {.priority = Priority::low})));
  EXPECT_EQ(order, (std::vector<std::string>{"high", "first", "second", "low"}));
}

TEST(DiffusionEngine, EndsItsWorkerAndTellsThoseWhoWait) {
  auto engine = loaded();
  const auto drawing = begin(*engine, asking("hang"));
  const auto waiting = begin(*engine, asking("a hat"));
  wait_until_drawing(*engine);
  engine.reset();
  EXPECT_EQ(error_of(*drawing), ErrorCode::service_unavailable);
  EXPECT_EQ(error_of(*waiting), ErrorCode::service_unavailable);
  drawing->cancel();  // whoever still holds it may
}

TEST(DiffusionEngine, GivesItsWorkerNoDescriptors) {
  const auto engine = loaded();
  const auto outcome = outcome_of(*begin(*engine, asking("descriptors")));
  EXPECT_EQ(outcome->pictures[0].rgba[2], 3);
}

TEST(DiffusionEngine, TellsTheMemoryThatItNeeds) {
  EXPECT_GT(*diffusion_memory_needed({.path = CRATON_FAKE_WORKER}), 3u << 30);
  const auto needed = diffusion_memory_needed({.path = CRATON_FAKE_WORKER, .vae = "/no/vae"});
  ASSERT_FALSE(needed);
  EXPECT_EQ(needed.error().message,
            "weights file /no/vae cannot be read: No such file or directory. Name one that is "
            "there.");
}

}  // namespace
}  // namespace craton::engines::diffusion
