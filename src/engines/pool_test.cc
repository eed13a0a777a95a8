#include "engines/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "base/log.h"

namespace craton::engines {
namespace {

using namespace std::chrono_literals;

/// What the fakes of one test do, and have done.
struct World {
  std::atomic<int> alive = 0;  ///< Engines that exist.
  std::atomic<int> most_alive = 0;
  std::atomic<int> made = 0;
  std::atomic<bool> broken = false;  ///< Those made from now on fail to load.
};

/// Loads on a thread of its own, as engines do.
class FakeEngine : public Engine {
 public:
  FakeEngine(World& world, std::string name)
      : world_(world), name_(std::move(name)), broken_(world.broken) {
    ++world_.made;
    const int alive = ++world_.alive;
    int most = world_.most_alive;
    while (alive > most && !world_.most_alive.compare_exchange_weak(most, alive)) {
    }
    thread_ = std::thread([this] { load(); });
  }
  ~FakeEngine() override {
    thread_.join();
    --world_.alive;
  }

  std::string_view kind() const override { return "fake"; }
  std::string_view model() const override { return name_; }
  Status status() const override {
    std::lock_guard lock(mutex_);
    return {state_, broken_ ? "broken" : ""};
  }
  void notify_loaded(std::function<void()> wake) override {
    {
      std::lock_guard lock(mutex_);
      if (state_ == State::loading) {
        waiting_.push_back(std::move(wake));
        return;
      }
    }
    wake();
  }
  Result<std::shared_ptr<Generation>> generate(Conversation, const Limits&) override {
    return std::make_shared<Generation>();
  }
  Result<int> count_tokens(const Conversation&) override { return 7; }

 private:
  void load() {
    std::vector<std::function<void()>> waiting;
    {
      std::lock_guard lock(mutex_);
      state_ = broken_ ? State::failed : State::ready;
      waiting.swap(waiting_);
    }
    for (const auto& wake : waiting) wake();
  }

  World& world_;
  const std::string name_;
  const bool broken_;
  mutable std::mutex mutex_;
  State state_ = State::loading;
  std::vector<std::function<void()>> waiting_;
  std::thread thread_;
};

class PoolTest : public testing::Test {
 protected:
  PoolTest() { log::set_level(log::Level::off); }

  PoolModel model(std::string name, std::uint64_t bytes, bool kept = false) {
    return {.kind = "fake", .name = name, .bytes = bytes, .kept = kept, .make = [this, name] {
              return std::make_unique<FakeEngine>(world, name);
            }};
  }

  /// Whether the model answers within a time that is long for a machine and short for a person.
  static bool loads(Engine& engine, std::chrono::milliseconds within = 10s) {
    auto loaded = std::make_shared<std::promise<void>>();
    engine.notify_loaded([loaded] { loaded->set_value(); });
    return loaded->get_future().wait_for(within) == std::future_status::ready &&
           engine.status().state == State::ready;
  }

  template <class Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(2ms);
    return condition();
  }

  World world;
};

TEST_F(PoolTest, LoadsAtOnceWhatIsKeptAndTheRestWhenSomebodyWaits) {
  const auto pool = Pool::make({model("kept", 1, true), model("other", 1)}, std::nullopt);
  EXPECT_TRUE(eventually([&] { return pool->peek(0).status().state == State::ready; }));
  EXPECT_EQ(world.made, 1);
  const std::shared_ptr<Engine> other = pool->take(1);
  EXPECT_EQ(other->status().state, State::loading);
  EXPECT_EQ(other->model(), "other");
  EXPECT_EQ(other->kind(), "fake");
  EXPECT_EQ(world.made, 1) << "nobody waits for it yet";
  EXPECT_EQ(other->count_tokens({}).error().code, ErrorCode::model_not_ready);
  EXPECT_EQ(other->generate({}, {}).error().code, ErrorCode::model_not_ready);
  EXPECT_TRUE(loads(*other));
  EXPECT_EQ(*other->count_tokens({}), 7);
  EXPECT_EQ(pool->loaded(), 2);
}

TEST_F(PoolTest, UnloadsTheLeastRecentlyUsed) {
  const auto pool = Pool::make({model("a", 4), model("b", 4), model("c", 4)}, 8);
  EXPECT_TRUE(loads(*pool->take(0)));
  EXPECT_TRUE(loads(*pool->take(1)));
  pool->take(0);  // used again
  EXPECT_TRUE(loads(*pool->take(2)));
  EXPECT_EQ(pool->peek(0).status().state, State::ready);
  EXPECT_EQ(pool->peek(1).status().state, State::loading);
  EXPECT_EQ(pool->loaded(), 2);
  EXPECT_LE(world.most_alive, 2) << "it goes before the other comes";
  EXPECT_TRUE(loads(*pool->take(1))) << "and is loaded again when it is asked for";
}

TEST_F(PoolTest, UnloadsAsManyAsItMust) {
  const auto pool = Pool::make({model("a", 3), model("b", 3), model("c", 3), model("big", 8)}, 9);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(loads(*pool->take(i)));
  EXPECT_TRUE(loads(*pool->take(3)));
  EXPECT_EQ(pool->loaded(), 1);
}

TEST_F(PoolTest, NeverUnloadsWhatIsKept) {
  const auto pool = Pool::make({model("kept", 4, true), model("a", 4), model("b", 4)}, 8);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(loads(*pool->take(1)));
    EXPECT_TRUE(loads(*pool->take(2)));
  }
  EXPECT_TRUE(eventually([&] { return pool->peek(0).status().state == State::ready; }));
  EXPECT_EQ(world.made, 7) << "it was made once";
}

TEST_F(PoolTest, WhatIsHeldStaysAndTheOtherWaitsForIt) {
  const auto pool = Pool::make({model("a", 8), model("b", 8)}, 8);
  std::shared_ptr<Engine> held = pool->take(0);
  EXPECT_TRUE(loads(*held));
  const std::shared_ptr<Engine> other = pool->take(1);
  std::promise<void> loaded;
  const std::future<void> told = loaded.get_future();
  other->notify_loaded([&] { loaded.set_value(); });
  EXPECT_EQ(told.wait_for(50ms), std::future_status::timeout);
  EXPECT_EQ(held->status().state, State::ready);
  held.reset();
  // The waiter is told a moment after the state says so.
  EXPECT_EQ(told.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(other->status().state, State::ready);
  EXPECT_EQ(pool->loaded(), 1);
}

/// A model that is asked for without a break, and its rival.
class PoolTurnsTest : public PoolTest {
 protected:
  std::shared_ptr<Pool> pool = Pool::make({model("busy", 8), model("rival", 8)}, 8, [this] {
    return SteadyTime(std::chrono::milliseconds(ms));
  });
  std::atomic<int> ms = 0;

  void pass(std::chrono::milliseconds time) { ms += static_cast<int>(time.count()); }
};

TEST_F(PoolTurnsTest, ABusyModelTakesNoNewCallersWhenAnotherHasWaitedForItsTurn) {
  std::shared_ptr<Engine> held = pool->take(0);
  EXPECT_TRUE(loads(*held));
  std::shared_ptr<Engine> rival = pool->take(1);
  EXPECT_FALSE(loads(*rival, 20ms));
  pass(Pool::turn - 1ms);
  EXPECT_EQ(pool->take(0)->status().state, State::ready) << "not yet";
  pass(1ms);
  std::shared_ptr<Engine> late = pool->take(0);
  EXPECT_EQ(late->status().state, State::loading);
  EXPECT_FALSE(late->count_tokens({})) << "nobody is answered out of turn";
  std::promise<void> late_loaded;
  late->notify_loaded([&] { late_loaded.set_value(); });
  EXPECT_EQ(*held->count_tokens({}), 7) << "who was there stays";
  held.reset();
  EXPECT_TRUE(eventually([&] { return rival->status().state == State::ready; }));
  EXPECT_EQ(late->status().state, State::loading);
  rival.reset();
  EXPECT_EQ(late_loaded.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(*late->count_tokens({}), 7);
}

TEST_F(PoolTurnsTest, AModelThatWasJustLoadedHasItsTurn) {
  std::shared_ptr<Engine> held = pool->take(0);
  EXPECT_TRUE(loads(*held));
  std::shared_ptr<Engine> rival = pool->take(1);
  EXPECT_FALSE(loads(*rival, 20ms));
  pass(Pool::turn);
  std::shared_ptr<Engine> late = pool->take(0);
  EXPECT_FALSE(loads(*late, 20ms));
  pass(Pool::turn);
  held.reset();
  EXPECT_TRUE(eventually([&] { return rival->status().state == State::ready; }));
  EXPECT_EQ(pool->take(1)->status().state, State::ready);
  pass(Pool::turn);
  EXPECT_EQ(pool->take(1)->status().state, State::loading);
}

TEST_F(PoolTurnsTest, WhoGivesUpWaitingIsForgotten) {
  std::shared_ptr<Engine> held = pool->take(0);
  EXPECT_TRUE(loads(*held));
  const auto watched = std::make_shared<int>(0);
  std::shared_ptr<Engine> rival = pool->take(1);
  rival->notify_loaded([watched] {});
  EXPECT_EQ(watched.use_count(), 2);
  rival.reset();
  EXPECT_EQ(watched.use_count(), 1);
}

TEST_F(PoolTest, UnloadsNothingInVain) {
  const auto pool = Pool::make({model("held", 4), model("idle", 2), model("big", 8)}, 8);
  const std::shared_ptr<Engine> held = pool->take(0);
  EXPECT_TRUE(loads(*held));
  EXPECT_TRUE(loads(*pool->take(1)));
  EXPECT_FALSE(loads(*pool->take(2), 50ms));
  EXPECT_EQ(pool->peek(1).status().state, State::ready);
}

TEST_F(PoolTest, AFailedModelTakesNoOtherDown) {
  const auto pool = Pool::make({model("a", 1), model("b", 1)}, std::nullopt);
  world.broken = true;
  const std::shared_ptr<Engine> broken = pool->take(0);
  EXPECT_FALSE(loads(*broken));
  EXPECT_EQ(broken->status().state, State::failed);
  EXPECT_EQ(broken->status().reason, "broken");
  world.broken = false;
  EXPECT_TRUE(loads(*pool->take(1)));
}

TEST_F(PoolTest, WhoeverHoldsAnEngineKeepsThePool) {
  std::shared_ptr<Engine> engine;
  {
    const auto pool = Pool::make({model("a", 1)}, std::nullopt);
    engine = pool->take(0);
  }
  EXPECT_TRUE(loads(*engine));
  engine.reset();
  EXPECT_EQ(world.alive, 0);
}

// Many callers of more models than fit: each is answered by a loaded one, and the bound holds.
TEST_F(PoolTest, KeepsItsBoundWhateverIsAsked) {
  const auto pool = Pool::make(
      {model("kept", 1, true), model("a", 1), model("b", 1), model("c", 1), model("d", 1)}, 3);
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> callers;
    for (unsigned seed = 0; seed < 4; ++seed) {
      callers.emplace_back([&, seed] {
        std::mt19937 random(seed);
        for (int i = 0; i < 100; ++i) {
          const std::shared_ptr<Engine> engine = pool->take(random() % pool->size());
          // Two may hold what a third waits for, who then holds none.
          if (loads(*engine, 20ms) && engine->count_tokens({})) ++answered;
        }
      });
    }
  }
  EXPECT_GT(answered, 100);
  EXPECT_LE(world.most_alive, 3);
}

TEST_F(PoolTest, AModelThatIsAddedIsLoadedWhenItIsAskedFor) {
  const auto pool = Pool::make({}, 8);
  EXPECT_EQ(pool->size(), 0);
  const std::size_t added = pool->add(model("late", 4));
  EXPECT_EQ(pool->size(), 1);
  EXPECT_TRUE(loads(*pool->take(added)));
  pool->add(model("kept", 4, true));
  EXPECT_TRUE(eventually([&] { return pool->loaded() == 2; })) << "who is kept, at once";
}

TEST_F(PoolTest, WhatIsRetiredGoesWhenNobodyHoldsItAnyMore) {
  const auto pool = Pool::make({model("a", 1), model("kept", 1, true)}, std::nullopt);
  std::shared_ptr<Engine> held = pool->take(0);
  EXPECT_TRUE(loads(*held));
  pool->retire(0);
  EXPECT_EQ(*held->count_tokens({}), 7) << "who is there stays";
  EXPECT_TRUE(loads(*pool->take(1)));
  pool->retire(1);
  EXPECT_FALSE(pool->kept(1));
  EXPECT_TRUE(eventually([&] { return pool->loaded() == 1; }));
  held.reset();
  EXPECT_TRUE(eventually([&] { return pool->loaded() == 0 && world.alive == 0; }));
}

TEST_F(PoolTest, WhatIsRetiredWhileItLoadsGoesToo) {
  const auto pool = Pool::make({model("a", 1, true)}, std::nullopt);
  pool->retire(0);
  EXPECT_TRUE(eventually([&] { return pool->loaded() == 0 && world.alive == 0; }));
  EXPECT_TRUE(loads(*pool->take(0))) << "somebody knew it still";
  EXPECT_TRUE(eventually([&] { return pool->loaded() == 0; }));
}

/// Between "it is wanted" and "it is there" an engine is made, which takes a moment.
TEST_F(PoolTest, MakesAModelOnceThatIsAskedForWhileItIsMade) {
  std::promise<void> begun;
  std::promise<void> may_go_on;
  PoolModel slow = model("slow", 1, true);
  slow.make = [&, make = slow.make] {
    if (world.made == 0) {
      begun.set_value();
      may_go_on.get_future().wait();
    }
    return make();
  };
  const auto pool = Pool::make({slow}, std::nullopt);
  begun.get_future().wait();
  const auto engine = pool->take(0);
  std::promise<void> loaded;
  engine->notify_loaded([&] { loaded.set_value(); });
  may_go_on.set_value();
  EXPECT_EQ(loaded.get_future().wait_for(10s), std::future_status::ready);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(world.made, 1);
}

}  // namespace
}  // namespace craton::engines
