#include "http/awaitable.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <thread>
#include <vector>

namespace craton::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using std::chrono::steady_clock;

/// How a wait ended.
struct Outcome {
  std::optional<bool> in_time;
  std::exception_ptr problem;
  std::thread::id thread;
};

awaitable<void> wait_into(Outcome& outcome, Subscribe subscribe,
                          std::optional<SteadyTime> deadline) {
  const bool in_time = co_await wait_until(subscribe, deadline);
  outcome.in_time = in_time;
  outcome.thread = std::this_thread::get_id();
}

struct Waiting {
  explicit Waiting(Subscribe subscribe, std::optional<SteadyTime> deadline = std::nullopt) {
    boost::asio::co_spawn(
        context, wait_into(outcome, std::move(subscribe), deadline),
        boost::asio::bind_cancellation_slot(cancel.slot(),
                                            [this](std::exception_ptr p) { outcome.problem = p; }));
  }

  Outcome outcome;
  boost::asio::cancellation_signal cancel;
  boost::asio::io_context context{1};
};

TEST(WaitUntil, ResumesWhenWokenFromAnotherThread) {
  std::thread waker;
  Waiting waiting([&](std::function<void()> wake) {
    waker = std::thread([wake] {
      std::this_thread::sleep_for(10ms);
      wake();
    });
  });
  waiting.context.run();
  waker.join();
  EXPECT_EQ(waiting.outcome.in_time, true);
  EXPECT_EQ(waiting.outcome.thread, std::this_thread::get_id());
}

TEST(WaitUntil, DoesNotSuspendWhenWokenAtOnce) {
  Waiting waiting([](std::function<void()> wake) { wake(); });
  waiting.context.run_one();
  EXPECT_EQ(waiting.outcome.in_time, true);
}

TEST(WaitUntil, TakesBeingWokenOftener) {
  Waiting waiting([](std::function<void()> wake) {
    std::thread([wake] {
      for (int i = 0; i < 1000; ++i) wake();
    }).join();
  });
  waiting.context.run();
  EXPECT_EQ(waiting.outcome.in_time, true);
}

TEST(WaitUntil, SaysThatTheDeadlinePassed) {
  std::function<void()> kept;
  Waiting waiting([&](std::function<void()> wake) { kept = std::move(wake); },
                  steady_clock::now() + 10ms);
  waiting.context.run();
  EXPECT_EQ(waiting.outcome.in_time, false);
  kept();  // too late, and nobody is hurt
}

TEST(WaitUntil, LeavesWhenCancelled) {
  std::function<void()> kept;
  Waiting waiting([&](std::function<void()> wake) { kept = std::move(wake); });
  boost::asio::post(waiting.context,
                    [&] { waiting.cancel.emit(boost::asio::cancellation_type::terminal); });
  waiting.context.run();
  EXPECT_EQ(waiting.outcome.in_time, std::nullopt);
  EXPECT_TRUE(waiting.outcome.problem);
  kept();
}

TEST(WaitUntil, OutlivesItsExecutorHarmlessly) {
  std::function<void()> kept;
  {
    Waiting waiting([&](std::function<void()> wake) { kept = std::move(wake); });
    waiting.context.run_for(5ms);
    EXPECT_EQ(waiting.outcome.in_time, std::nullopt);
  }
  kept();
}

TEST(WaitUntil, PassesOnWhatSubscribeThrows) {
  Waiting waiting([](std::function<void()>) { throw std::runtime_error("no"); });
  waiting.context.run();
  EXPECT_TRUE(waiting.outcome.problem);
}

// Wake-up, deadline and cancellation, each at about the same moment.
TEST(WaitUntil, SurvivesEveryRace) {
  for (int i = 0; i < 300; ++i) {
    std::function<void()> wake_later;
    const auto moment = steady_clock::now() + std::chrono::microseconds(300 + i % 7);
    Waiting waiting([&](std::function<void()> wake) { wake_later = std::move(wake); }, moment);
    waiting.context.run_one();
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
      std::this_thread::sleep_until(moment);
      wake_later();
    });
    threads.emplace_back([&] {
      std::this_thread::sleep_until(moment);
      boost::asio::post(waiting.context,
                        [&] { waiting.cancel.emit(boost::asio::cancellation_type::terminal); });
    });
    waiting.context.run();
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(waiting.outcome.in_time.has_value() || waiting.outcome.problem);
  }
}

}  // namespace
}  // namespace craton::http
