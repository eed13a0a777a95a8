#include "engines/llama/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>

namespace craton::engines::llama {
namespace {

TEST(Crew, DoesEachPartOnceWhateverTheThreads) {
  for (const int threads : {0, 1, 2, 5}) {
    Crew crew(threads);
    for (const std::size_t parts : {0, 1, 2, 3, 8, 100}) {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::atomic<int>> times(parts);
        crew.share(parts, [&](std::size_t part) { ++times[part]; });
        for (const std::atomic<int>& count : times) ASSERT_EQ(count, 1);
      }
    }
  }
}

TEST(Crew, WorksOnSeveralThreads) {
  Crew crew(2);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::atomic<int> there = 0;
  crew.share(2, [&](std::size_t) {
    ++there;
    while (there < 2) std::this_thread::yield();  // until the other has the other part
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.size(), 2u);
}

TEST(Crew, HandsOnWhatIsThrownAndGoesOn) {
  Crew crew(3);
  std::atomic<int> done = 0;
  const auto work = [&](std::size_t part) {
    if (part % 3 == 1) throw std::runtime_error("part " + std::to_string(part));
    ++done;
  };
  EXPECT_THROW(crew.share(9, work), std::runtime_error);
  EXPECT_EQ(done, 6) << "the others are done all the same";
  crew.share(1, work);
  EXPECT_EQ(done, 7);
}

}  // namespace
}  // namespace craton::engines::llama
