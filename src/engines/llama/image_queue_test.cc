#include "engines/llama/image_queue.h"

#include <gtest/gtest.h>

#include <chrono>

#include "engines/llama/table_decoder.h"
#include "engines/llama/test_answers.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;

/// A queue whose encoder takes an image when the test lets it.
class ImageQueueTest : public testing::Test {
 protected:
  std::shared_ptr<Generation> put(std::vector<std::string> images, std::vector<Token> tokens,
                                  std::optional<SteadyTime> deadline = std::nullopt) {
    auto generation = std::make_shared<Generation>();
    UnseenRequest unseen{
        .request = {.prompt = {},
                    .deadline = deadline,
                    .sampler = Sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 0}),
                    .assembler = AnswerAssembler(),
                    .generation = generation,
                    .place = std::shared_ptr<void>(&places, [](int* left) { ++*left; })},
        .text = {.tokens = tokens, .count = static_cast<int>(tokens.size())},
        .images = images,
        .cells = static_cast<int>(tokens.size() + images.size() * image_cells)};
    for (std::size_t i = 0; i < images.size(); ++i) unseen.text.images.push_back({i, i});
    queue.put(std::move(unseen));
    return generation;
  }

  Result<ImagePieces> encode(std::string_view file) {
    std::unique_lock lock(mutex);
    begun.emplace_back(file);
    changed.notify_all();
    changed.wait(lock, [&] { return allowed >= begun.size(); });
    if (file == "damaged") return Error{ErrorCode::validation, "Could not process image"};
    if (file == "throws") throw std::bad_alloc();
    ImagePieces pieces;
    pieces.pieces.push_back({.tokens = {7}, .cells = 1, .positions = 1});
    pieces.pieces.push_back(table_image(image_cells - 1, 2));
    return pieces;
  }

  void allow(std::size_t images) {
    const std::scoped_lock lock(mutex);
    allowed += images;
    changed.notify_all();
  }

  bool wait_for(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, condition);
  }

  static ErrorCode failure_of(Generation& generation) {
    const auto answer = answer_of(generation);
    return answer ? ErrorCode::internal_server : answer.error().error.code;
  }

  static constexpr std::size_t image_cells = 5;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t allowed = 0;
  std::vector<std::string> begun;
  std::vector<Request> done;
  int places = 0;
  ImageQueue queue{[this](std::string_view file) { return encode(file); },
                   [this](Request request) {
                     const std::scoped_lock lock(mutex);
                     done.push_back(std::move(request));
                     changed.notify_all();
                   },
                   24};

  void TearDown() override {
    allow(1000);
    queue.stop();
    done.clear();
  }
};

TEST_F(ImageQueueTest, PutsImagesWhereTheyStandAmongTokens) {
  put({"a", "b"}, {1, 2, 3});
  allow(2);
  ASSERT_TRUE(wait_for([&] { return done.size() == 1; }));
  const std::vector<Token> I(image_cells - 1, Prompt::in_image);
  std::vector<Token> expected{7};
  expected.insert(expected.end(), I.begin(), I.end());
  expected.insert(expected.end(), {1, 7});
  expected.insert(expected.end(), I.begin(), I.end());
  expected.insert(expected.end(), {2, 3});
  EXPECT_EQ(done[0].prompt.tokens(), expected);
  EXPECT_EQ(begun, (std::vector<std::string>{"a", "b"}));
}

TEST_F(ImageQueueTest, EncodesInTheOrderOfArrivalOneAtATime) {
  put({"a"}, {1, 2});
  put({"b"}, {1, 2});
  ASSERT_TRUE(wait_for([&] { return begun.size() == 1; }));
  EXPECT_EQ(begun, std::vector<std::string>{"a"});
  allow(2);
  ASSERT_TRUE(wait_for([&] { return done.size() == 2; }));
  EXPECT_EQ(begun.back(), "b");
}

TEST_F(ImageQueueTest, GivesUpWhatIsCancelledBetweenTwoImages) {
  const auto leaves = put({"a", "b", "c"}, {1, 2, 3, 4});
  const auto waits = put({"d"}, {1, 2});
  put({"e"}, {1, 2});
  ASSERT_TRUE(wait_for([&] { return begun.size() == 1; }));
  leaves->cancel();
  waits->cancel();
  allow(2);
  ASSERT_TRUE(wait_for([&] { return done.size() == 1; }));
  EXPECT_EQ(begun, (std::vector<std::string>{"a", "e"}));
  EXPECT_EQ(places, 2);
  EXPECT_FALSE(leaves->try_next()) << "nobody is there to be told";
}

TEST_F(ImageQueueTest, EndsWhatIsPastItsDeadline) {
  const auto late = put({"a"}, {1, 2}, std::chrono::steady_clock::now() - 1s);
  EXPECT_EQ(failure_of(*late), ErrorCode::model_timeout);
}

TEST_F(ImageQueueTest, TellsWhatIsWrongWithAnImageAndGoesOn) {
  const auto damaged = put({"damaged"}, {1});
  const auto throws = put({"throws"}, {1});
  put({"a"}, {1});
  allow(3);
  EXPECT_EQ(failure_of(*damaged), ErrorCode::validation);
  EXPECT_EQ(failure_of(*throws), ErrorCode::model_error);
  EXPECT_TRUE(wait_for([&] { return done.size() == 1; }));
}

TEST_F(ImageQueueTest, WaitsWhileTheEmbeddingsOfOthersFillItsBound) {
  for (int i = 0; i < 4; ++i) put({"a"}, {1, 2, 3});  // 8 cells each of 24
  allow(4);
  ASSERT_TRUE(wait_for([&] { return done.size() == 3; }));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(begun.size(), 3u);
  Request gone = [&] {
    const std::scoped_lock lock(mutex);
    Request first = std::move(done.front());
    done.erase(done.begin());
    return first;
  }();
  gone.place.reset();
  EXPECT_TRUE(wait_for([&] { return begun.size() == 4; }));
}

TEST_F(ImageQueueTest, EndsAllWhenItStops) {
  const auto encoded = put({"a", "b"}, {1, 2, 3});
  const auto waiting = put({"c"}, {1, 2});
  ASSERT_TRUE(wait_for([&] { return begun.size() == 1; }));
  std::thread stopper([&] { queue.stop(); });
  EXPECT_EQ(failure_of(*waiting), ErrorCode::service_unavailable);
  allow(1);
  stopper.join();
  EXPECT_EQ(failure_of(*encoded), ErrorCode::service_unavailable);
  EXPECT_EQ(failure_of(*put({"d"}, {1, 2})), ErrorCode::service_unavailable);
  EXPECT_EQ(begun, std::vector<std::string>{"a"});
  EXPECT_TRUE(done.empty());
}

}  // namespace
}  // namespace craton::engines::llama
