#include "engines/generation.h"

#include <gtest/gtest.h>

#include <thread>

namespace craton::engines {
namespace {

TEST(Generation, GivesEventsInOrder) {
  Generation generation;
  EXPECT_FALSE(generation.try_next());
  generation.offer(MessageStart{});
  generation.offer(TextDelta{"a"});
  EXPECT_TRUE(std::holds_alternative<MessageStart>(*generation.try_next()));
  EXPECT_EQ(std::get<TextDelta>(*generation.try_next()).text, "a");
  EXPECT_FALSE(generation.try_next());
}

TEST(Generation, WakesTheWaitingCallerOnce) {
  Generation generation;
  int woken = 0;
  generation.notify([&] { ++woken; });
  EXPECT_EQ(woken, 0);
  generation.offer(TextDelta{"a"});
  generation.offer(TextDelta{"b"});
  EXPECT_EQ(woken, 1);
  generation.notify([&] { ++woken; });
  EXPECT_EQ(woken, 2) << "an event was waiting already";
}

TEST(Generation, RefusesMoreThanTheBoundButNeverTheLastEvent) {
  Generation generation;
  for (std::size_t i = 0; i < Generation::events_max; ++i) {
    ASSERT_TRUE(generation.offer(TextDelta{"x"}));
  }
  EXPECT_FALSE(generation.offer(TextDelta{"x"}));
  EXPECT_TRUE(generation.offer(Usage{}));
}

TEST(Generation, TellsTheEngineOnceThatThereIsRoomAgain) {
  int told = 0;
  Generation generation([&] { ++told; });
  for (std::size_t i = 0; i < Generation::events_max; ++i) generation.offer(TextDelta{"x"});
  generation.try_next();
  EXPECT_EQ(told, 0) << "nothing was refused yet";
  generation.offer(TextDelta{"x"});
  ASSERT_FALSE(generation.offer(TextDelta{"x"}));
  while (generation.try_next()) {
  }
  EXPECT_EQ(told, 1);
}

TEST(Generation, TellsTheEngineOnceThatItIsGivenUpAndWakesNobody) {
  int told = 0;
  int woken = 0;
  Generation generation([&] { ++told; });
  generation.notify([&] { ++woken; });
  generation.cancel();
  generation.cancel();
  EXPECT_TRUE(generation.cancelled());
  EXPECT_EQ(told, 1);
  generation.offer(TextDelta{"too late"});
  EXPECT_EQ(woken, 0);
}

TEST(Generation, CarriesEventsAcrossThreads) {
  Generation generation;
  std::thread engine([&] {
    for (int i = 0; i < 10'000;) {
      if (generation.offer(TextDelta{"x"})) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
    generation.offer(Usage{});
  });
  int texts = 0;
  for (bool done = false; !done;) {
    while (auto event = generation.try_next()) {
      texts += std::holds_alternative<TextDelta>(*event);
      done = done || std::holds_alternative<Usage>(*event);
    }
    std::this_thread::yield();
  }
  engine.join();
  EXPECT_EQ(texts, 10'000);
}

}  // namespace
}  // namespace craton::engines
