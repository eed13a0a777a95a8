#include "engines/canvas/canvas_engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace craton::engines::canvas {
namespace {

DrawingRequest request_of(int width, int height, int count = 1) {
  DrawingRequest request;
  request.prompts = {{"a boat", 1}};
  request.width = width;
  request.height = height;
  request.count = count;
  return request;
}

Drawing::Outcome outcome(Drawing& drawing) {
  std::mutex mutex;
  std::condition_variable made;
  bool done = false;
  drawing.notify([&] {
    const std::lock_guard lock(mutex);
    done = true;
    made.notify_one();
  });
  std::unique_lock lock(mutex);
  made.wait(lock, [&] { return done; });
  return *drawing.take();
}

TEST(CanvasEngine, DrawsAndSaysWhatItIs) {
  const auto engine = make_canvas_engine();
  EXPECT_EQ(engine->kind(), "canvas");
  EXPECT_EQ(engine->status().state, State::ready);
  EXPECT_TRUE(engine->capabilities().drawings);
  EXPECT_FALSE(engine->capabilities().text);
  bool loaded = false;
  engine->notify_loaded([&] { loaded = true; });
  EXPECT_TRUE(loaded);
  const auto drawing = engine->draw(request_of(64, 32, 2), {}).value();
  const auto made = outcome(*drawing);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->pictures.size(), 2u);
  EXPECT_EQ(made->pictures[1].width, 64);
  EXPECT_EQ(engine->stats().steps.count(), 1u);
  EXPECT_EQ(engine->generate({}, {}).error().code, ErrorCode::model_error);
}

TEST(CanvasEngine, WhatItCannotHoldIsThrottled) {
  const auto engine = make_canvas_engine({.threads = 1, .requests_max = 3});
  std::vector<std::shared_ptr<Drawing>> held;
  Result<std::shared_ptr<Drawing>> last = engine->draw(request_of(1024, 1024, 5), {});
  while (last) {
    held.push_back(*last);
    ASSERT_LE(held.size(), 3u);
    last = engine->draw(request_of(1024, 1024, 5), {});
  }
  EXPECT_EQ(last.error().code, ErrorCode::throttling);
  for (const auto& drawing : held) EXPECT_TRUE(outcome(*drawing));
}

TEST(CanvasEngine, PicturesOfAllRequestsHaveABound) {
  const auto engine = make_canvas_engine({.threads = 1, .bytes_max = 64u << 20});
  const auto first = engine->draw(request_of(2048, 2048, 5), {}).value();
  EXPECT_EQ(engine->draw(request_of(64, 64), {}).error().code, ErrorCode::throttling);
  EXPECT_TRUE(outcome(*first)) << "one alone may have more";
}

TEST(CanvasEngine, APlaceIsGivenBackWithThePictures) {
  auto engine = make_canvas_engine({.threads = 1, .requests_max = 1});
  {
    const auto made = outcome(**engine->draw(request_of(64, 64), {}));
    ASSERT_TRUE(made);
    EXPECT_EQ(engine->draw(request_of(64, 64), {}).error().code, ErrorCode::throttling);
  }
  const auto made = outcome(**engine->draw(request_of(64, 64), {}));
  engine.reset();
  EXPECT_TRUE(made) << "outlives it";
}

TEST(CanvasEngine, ThePassedDeadlineAndTheOneWhoLeftAreNotDrawnFor) {
  const auto engine = make_canvas_engine({.threads = 1});
  const auto late =
      engine->draw(request_of(64, 64), {.deadline = std::chrono::steady_clock::now()}).value();
  EXPECT_EQ(outcome(*late).error().error.code, ErrorCode::model_timeout);
  const auto busy = engine->draw(request_of(1024, 1024), {}).value();
  const auto left = engine->draw(request_of(1024, 1024), {}).value();
  left->cancel();
  EXPECT_TRUE(outcome(*busy));
  EXPECT_FALSE(outcome(*left));
}

TEST(CanvasEngine, WhoWaitsIsToldWhenItStops) {
  auto engine = make_canvas_engine({.threads = 1});
  std::vector<std::shared_ptr<Drawing>> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(engine->draw(request_of(512, 512), {}).value());
  engine.reset();
  for (const auto& drawing : waiting) EXPECT_TRUE(drawing->take().has_value());
}

TEST(CanvasEngine, HigherPrioritiesComeFirst) {
  const auto engine = make_canvas_engine({.threads = 1});
  const auto busy = engine->draw(request_of(1536, 1536, 5), {}).value();
  const auto low = engine->draw(request_of(1024, 1024, 5), {.priority = Priority::low}).value();
  const auto high = engine->draw(request_of(64, 64), {.priority = Priority::high}).value();
  EXPECT_TRUE(outcome(*high));
  EXPECT_FALSE(low->take().has_value()) << "still waits";
  EXPECT_TRUE(outcome(*low));
}

}  // namespace
}  // namespace craton::engines::canvas
