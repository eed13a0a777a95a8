#include "service/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace craton::service {
namespace {

TEST(WorkerPool, RunsEveryJob) {
  std::atomic<int> done = 0;
  std::promise<void> all;
  WorkerPool pool(2);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pool.post([&] {
      if (++done == 10) all.set_value();
    }));
  }
  all.get_future().wait();
  EXPECT_EQ(done, 10);
}

TEST(WorkerPool, TakesNoMoreThanMayWait) {
  auto begun = std::make_shared<std::promise<void>>();
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  WorkerPool pool(1);
  ASSERT_TRUE(pool.post([begun, released] {
    begun->set_value();
    released.wait();
  }));
  begun->get_future().wait();
  for (std::size_t i = 0; i < WorkerPool::waiting_max; ++i) ASSERT_TRUE(pool.post([] {}));
  EXPECT_FALSE(pool.post([] {}));
  release.set_value();
}

TEST(WorkerPool, DropsWhatWaitsWhenItEnds) {
  std::atomic<int> done = 0;
  auto begun = std::make_shared<std::promise<void>>();
  {
    WorkerPool pool(1);
    ASSERT_TRUE(pool.post([&, begun] {
      begun->set_value();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      ++done;
    }));
    begun->get_future().wait();
    ASSERT_TRUE(pool.post([&] { done += 100; }));
  }
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace craton::service
