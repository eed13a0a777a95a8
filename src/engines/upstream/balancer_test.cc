#include "engines/upstream/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace craton::engines::upstream {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> named(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("http://10.0.0." + std::to_string(i));
  return names;
}

constexpr SteadyTime start{};

std::uint64_t key(int i) { return Balancer::hash_of("conversation " + std::to_string(i)); }

TEST(Balancer, SendsWhatBeginsAlikeToTheSameReplica) {
  Balancer balancer(named(10));
  for (int conversation = 0; conversation < 100; ++conversation) {
    std::set<std::size_t> replicas;
    for (int turn = 0; turn < 5; ++turn) {
      const auto lease = balancer.pick({key(conversation), 1}, start);
      ASSERT_TRUE(lease);
      replicas.insert(lease->replica);
      balancer.finish(*lease, Outcome::answered, start);
    }
    EXPECT_EQ(replicas.size(), 1u);
  }
}

TEST(Balancer, MovesOnlyTheKeysOfAReplicaThatLeaves) {
  Balancer ten(named(10));
  Balancer nine(named(9));
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto before = ten.pick({key(i), 1}, start);
    ten.finish(*before, Outcome::answered, start);
    const auto after = nine.pick({key(i), 1}, start);
    nine.finish(*after, Outcome::answered, start);
    if (before->replica == 9) continue;
    moved += before->replica != after->replica;
  }
  EXPECT_EQ(moved, 0);
}

TEST(Balancer, NoReplicaHasMuchMoreThanItsShare) {
  Balancer balancer(named(20), {.load_bound = 1.25});
  std::map<std::size_t, int> counts;
  for (int i = 0; i < 2000; ++i) ++counts[balancer.pick({key(1), 1}, start)->replica];
  for (const auto& [replica, count] : counts) EXPECT_LE(count, 126) << replica;
  EXPECT_EQ(counts.size(), 20u) << "one key alone spreads when it is too much for one";
}

TEST(Balancer, WeighsWork) {
  Balancer balancer(named(2));
  const auto heavy = balancer.pick({key(1), 1000}, start);
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(balancer.pick({key(i), 1}, start)->replica, heavy->replica);
  }
}

TEST(Balancer, GivesARefusedRequestToAnother) {
  Balancer balancer(named(3));
  std::vector<std::size_t> tried;
  for (int i = 0; i < 3; ++i) {
    const auto lease = balancer.pick({key(1), 1, tried}, start);
    ASSERT_TRUE(lease);
    EXPECT_EQ(std::ranges::find(tried, lease->replica), tried.end());
    tried.push_back(lease->replica);
  }
  EXPECT_FALSE(balancer.pick({key(1), 1, tried}, start));
}

TEST(Balancer, RestsWhoeverBreaksAnAnswer) {
  Balancer balancer(named(2));
  const auto first = balancer.pick({key(1), 1}, start);
  balancer.finish(*first, Outcome::broken, start);
  EXPECT_EQ(balancer.stats(first->replica, start).state, ReplicaState::resting);
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(balancer.pick({key(i), 1}, start + 100ms)->replica, first->replica);
  }
}

/// A replica that is brought to rest, and another whose keys these are not.
struct Resting {
  Balancer balancer{named(2)};
  const std::size_t resting = balancer.pick({key(1), 1}, start)->replica;
  Resting() { balancer.finish({resting, 1, false}, Outcome::given_up, start); }

  void bad(Outcome outcome, SteadyTime now) {
    balancer.finish(*balancer.pick({key(1), 1}, now), outcome, now);
  }
  std::size_t asked(SteadyTime now) {
    const auto lease = balancer.pick({key(1), 1}, now);
    balancer.finish(*lease, Outcome::given_up, now);
    return lease->replica;
  }
};

TEST(Balancer, TriesARestedReplicaWithOneRequest) {
  Resting one;
  one.bad(Outcome::broken, start);
  EXPECT_NE(one.asked(start + 100ms), one.resting);
  const auto trial = one.balancer.pick({key(1), 1}, start + 600ms);
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->replica, one.resting);
  EXPECT_TRUE(trial->trial);
  EXPECT_NE(one.asked(start + 600ms), one.resting) << "one at a time";
  one.balancer.finish(*trial, Outcome::answered, start + 700ms);
  EXPECT_EQ(one.asked(start + 700ms), one.resting);
  EXPECT_EQ(one.balancer.stats(one.resting, start + 700ms).state, ReplicaState::ready);
}

TEST(Balancer, RestsLongerEachTime) {
  Resting one;
  SteadyTime now = start;
  Milliseconds last{0};
  for (int i = 0; i < 12; ++i) {
    one.bad(Outcome::broken, now);
    Milliseconds rest{0};
    while (one.asked(now + rest) != one.resting) rest += 10ms;
    EXPECT_GE(rest, std::min<Milliseconds>(last, 22'000ms));
    EXPECT_LE(rest, 30'000ms);
    now += rest;
    last = rest;
  }
  EXPECT_GT(last, 20'000ms);
}

TEST(Balancer, WhereAllRestTheyAreAskedAllTheSame) {
  Balancer balancer(named(1), {.requests_max = 2});
  balancer.finish(*balancer.pick({key(1), 1}, start), Outcome::broken, start);
  EXPECT_EQ(balancer.stats(0, start).state, ReplicaState::resting);
  const auto first = balancer.pick({key(1), 1}, start);
  const auto second = balancer.pick({key(2), 1}, start);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second) << "and not one at a time";
  EXPECT_FALSE(balancer.pick({key(3), 1}, start)) << "but no more than ever";
  balancer.finish(*first, Outcome::answered, start);
  EXPECT_EQ(balancer.stats(0, start).state, ReplicaState::ready) << "it is well";
  balancer.finish(*second, Outcome::overloaded, start);
  EXPECT_EQ(balancer.pick({key(1), 1}, start).error(), Balancer::Why::busy)
      << "who asks to be spared is";
}

TEST(Balancer, WhoIsDownIsNoLastResort) {
  Balancer balancer(named(1));
  balancer.finish(*balancer.pick({key(1), 1}, start), Outcome::broken, start);
  for (int i = 0; i < 2; ++i) balancer.probed(0, false);
  EXPECT_EQ(balancer.pick({key(1), 1}, start).error(), Balancer::Why::down);
}

TEST(Balancer, AnErrorOrTwoMayBeTheRequestsFault) {
  Resting one;
  one.bad(Outcome::failed, start);
  one.bad(Outcome::failed, start);
  one.bad(Outcome::answered, start);
  one.bad(Outcome::failed, start);
  one.bad(Outcome::failed, start);
  EXPECT_TRUE(one.balancer.is_well(0));
  one.bad(Outcome::failed, start);
  EXPECT_FALSE(one.balancer.is_well(0));
}

TEST(Balancer, WhoeverIsOverloadedIsSparedForAsLongAsItSays) {
  Balancer balancer(named(1));
  balancer.finish(*balancer.pick({key(1), 1}, start), Outcome::overloaded, start, 2000ms);
  EXPECT_EQ(balancer.pick({key(1), 1}, start + 1900ms).error(), Balancer::Why::busy);
  EXPECT_TRUE(balancer.pick({key(1), 1}, start + 2000ms));
}

TEST(Balancer, WhoeverFailsItsProbesIsDownUntilOneGoesWell) {
  Balancer balancer(named(1));
  balancer.probed(0, false);
  EXPECT_TRUE(balancer.is_well(0)) << "one may be lost";
  balancer.probed(0, false);
  EXPECT_EQ(balancer.pick({key(1), 1}, start).error(), Balancer::Why::down);
  EXPECT_EQ(balancer.stats(0, start).state, ReplicaState::down);
  balancer.probed(0, true);
  EXPECT_TRUE(balancer.pick({key(1), 1}, start));
}

TEST(Balancer, AProbeBringsBackWhoCouldNotBeReachedButNotWhoBreaksAnswers) {
  Resting one;
  one.bad(Outcome::unreachable, start);
  one.balancer.probed(one.resting, true);
  EXPECT_TRUE(one.balancer.is_well(one.resting));
  one.bad(Outcome::broken, start);
  one.balancer.probed(one.resting, true);
  EXPECT_FALSE(one.balancer.is_well(one.resting));
}

TEST(Balancer, IsBusyWhenNoneTakesMore) {
  Balancer balancer(named(2), {.requests_max = 1});
  const auto first = balancer.pick({key(1), 1}, start);
  const auto second = balancer.pick({key(1), 1}, start);
  EXPECT_NE(first->replica, second->replica);
  EXPECT_EQ(balancer.pick({key(1), 1}, start).error(), Balancer::Why::busy);
}

TEST(Balancer, WhatHadBegunBeforeARestDoesNotEndIt) {
  Balancer balancer(named(1));
  const auto early = balancer.pick({key(1), 1}, start);
  balancer.finish(*balancer.pick({key(1), 1}, start), Outcome::broken, start);
  balancer.finish(*early, Outcome::answered, start);
  EXPECT_FALSE(balancer.is_well(0));
}

/// Random requests to random replicas that do random things, in virtual time: whatever happens,
/// nothing is lost and nobody who is well is left without work for ever.
class AnyDay : public testing::TestWithParam<int> {};

TEST_P(AnyDay, LosesNothing) {
  for (int seed = GetParam() * 500; seed < (GetParam() + 1) * 500; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const std::size_t count = 1 + random() % 12;
    Balancer balancer(named(count), {.requests_max = 1 + static_cast<int>(random() % 20)});
    std::vector<Balancer::Lease> running;
    SteadyTime now = start;
    std::uint64_t begun = 0;
    for (int step = 0; step < 300; ++step) {
      now += Milliseconds(random() % 200);
      const unsigned what = random() % 10;
      if (what < 5) {
        const std::uint64_t work = 1 + random() % 1000;
        const auto lease = balancer.pick({key(static_cast<int>(random() % 50)), work}, now);
        if (lease) running.push_back(*lease);
        begun += lease.has_value();
      } else if (what < 9 && !running.empty()) {
        const std::size_t at = random() % running.size();
        const auto outcome = static_cast<Outcome>(random() % 6);
        balancer.finish(running[at], outcome, now);
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        balancer.probed(random() % count, random() % 2 == 0);
      }
    }
    std::uint64_t requests = 0;
    std::size_t outstanding = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const ReplicaStats stats = balancer.stats(i, now);
      requests += stats.requests;
      outstanding += static_cast<std::size_t>(stats.outstanding);
      EXPECT_LE(stats.failures, stats.requests);
    }
    EXPECT_EQ(requests, begun) << seed;
    EXPECT_EQ(outstanding, running.size()) << seed;
    for (const auto& lease : running) balancer.finish(lease, Outcome::answered, now);
    for (std::size_t i = 0; i < count; ++i) {
      balancer.probed(i, true);
      EXPECT_EQ(balancer.stats(i, now).outstanding, 0) << seed;
    }
    now += 31s;  // longer than any rest
    std::set<std::size_t> used;
    for (int i = 0; i < 400; ++i) {
      const auto lease = balancer.pick({key(static_cast<int>(random() % 100'000)), 1}, now);
      ASSERT_TRUE(lease) << seed;
      used.insert(lease->replica);
      balancer.finish(*lease, Outcome::answered, now);
    }
    EXPECT_EQ(used.size(), count) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyDay, testing::Range(0, 10));

}  // namespace
}  // namespace craton::engines::upstream
