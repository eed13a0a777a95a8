#include "auth/meter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace craton::auth {
namespace {

using namespace std::chrono_literals;

class MeterTest : public testing::Test {
 protected:
  std::shared_ptr<Meter> meter = std::make_shared<Meter>();
  SteadyTime now{};
  WallTime date = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;

  auto ask(const Quota& quota, std::int64_t tokens = 0, bool streamed = false) {
    return meter->admit(quota, {.tokens = tokens, .streamed = streamed, .now = now, .date = date});
  }

  /// The limit that is in the way, and for how many milliseconds: "rpm 30000"; "" for none.
  std::string refusal(const Quota& quota, std::int64_t tokens = 0, bool streamed = false) {
    const auto lease = ask(quota, tokens, streamed);
    if (lease) {
      (*lease)->used(tokens);
      return "";
    }
    const Throttled& by = lease.error();
    return std::string(shape_of(by.limit).unit) + ' ' +
           (by.wait ? std::to_string(by.wait->count()) : "?");
  }

  void pass(Milliseconds time) {
    now += time;
    date += time;
  }
};

TEST_F(MeterTest, CountsRequestsAMinute) {
  const Quota quota{.requests_per_minute = 2};
  EXPECT_EQ(refusal(quota), "");
  EXPECT_EQ(refusal(quota), "");
  EXPECT_EQ(refusal(quota), "rpm 30000");
  pass(29s);
  EXPECT_EQ(refusal(quota), "rpm 1000");
  pass(1s);
  EXPECT_EQ(refusal(quota), "");
  EXPECT_EQ(refusal(quota), "rpm 30000");
}

TEST_F(MeterTest, TakesTheMostThatAnAnswerMayHaveAndGivesBackTheRest) {
  const Quota quota{.tokens_per_minute = 100};
  auto lease = ask(quota, 80);
  ASSERT_TRUE(lease);
  EXPECT_EQ(refusal(quota, 30), "tpm 6000");
  (*lease)->used(10);
  lease->reset();
  EXPECT_EQ(refusal(quota, 90), "");
  EXPECT_EQ(refusal(quota, 1), "tpm 600");
}

TEST_F(MeterTest, IsInDebtAfterAnAnswerThatTookMore) {
  const Quota quota{.tokens_per_minute = 60};
  auto lease = ask(quota, 60);
  ASSERT_TRUE(lease);
  (*lease)->used(120);
  lease->reset();
  EXPECT_EQ(meter->left(quota, Limit::tokens_per_minute, now, date), -60);
  EXPECT_EQ(refusal(quota, 60), "tpm 120000");
  EXPECT_EQ(refusal(quota, 0), "") << "what takes none needs none";
  pass(2min);
  EXPECT_EQ(refusal(quota, 60), "");
}

TEST_F(MeterTest, NeverAdmitsWhatIsMoreThanAllOfTheQuota) {
  const Quota quota{.tokens_per_minute = 100, .tokens_per_day = 1000};
  EXPECT_EQ(refusal(quota, 101), "tpm ?");
  EXPECT_EQ(refusal(quota, 1001), "tpm ?");
  EXPECT_EQ(refusal(quota, 100), "");
}

TEST_F(MeterTest, CountsTokensADayUntilMidnight) {
  const Quota quota{.tokens_per_day = 100};
  EXPECT_EQ(refusal(quota, 90), "");
  EXPECT_EQ(refusal(quota, 20), "tpd " + std::to_string(12 * 3'600'000));
  pass(11h + 59min);
  EXPECT_EQ(refusal(quota, 20), "tpd 60000");
  pass(1min);
  EXPECT_EQ(refusal(quota, 100), "");
  EXPECT_EQ(refusal(quota, 1), "tpd " + std::to_string(24 * 3'600'000));
}

TEST_F(MeterTest, CountsStreamsThatRun) {
  const Quota quota{.streams = 1};
  auto lease = ask(quota, 0, true);
  ASSERT_TRUE(lease);
  EXPECT_EQ(refusal(quota, 0, true), "streams ?");
  EXPECT_EQ(refusal(quota, 0, false), "");
  lease->reset();
  EXPECT_EQ(refusal(quota, 0, true), "");
}

TEST_F(MeterTest, KnowsOfStreamsThatBeganBeforeTheirQuota) {
  auto lease = ask({}, 0, true);
  ASSERT_TRUE(lease);
  EXPECT_EQ(refusal({.streams = 1}, 0, true), "streams ?");
  lease->reset();
  EXPECT_EQ(refusal({.streams = 1}, 0, true), "");
}

TEST_F(MeterTest, TellsTheFirstLimitInTheWayAndWaitsForAll) {
  const Quota quota{.requests_per_minute = 1, .tokens_per_minute = 100};
  EXPECT_EQ(refusal(quota, 100), "");
  EXPECT_EQ(refusal(quota, 50), "rpm 60000");
  const Quota wide{.requests_per_minute = 60, .tokens_per_minute = 100};
  meter = std::make_shared<Meter>();
  EXPECT_EQ(refusal(wide, 100), "");
  EXPECT_EQ(refusal(wide, 50), "tpm 30000");
}

TEST_F(MeterTest, TakesNothingForARequestThatIsCancelled) {
  const Quota quota{.requests_per_minute = 1, .tokens_per_minute = 100, .streams = 1};
  auto lease = ask(quota, 100, true);
  ASSERT_TRUE(lease);
  (*lease)->used(100);
  (*lease)->cancel();
  lease->reset();
  EXPECT_EQ(refusal(quota, 100, true), "");
}

TEST_F(MeterTest, AdmitsWhoWaitedAsTold) {
  for (std::int64_t number = 1; number < 2000; number = number * 3 + 1) {
    const Quota quota{.requests_per_minute = number, .tokens_per_minute = number * 7};
    meter = std::make_shared<Meter>();
    for (std::int64_t i = 0; i < number; ++i) ASSERT_EQ(refusal(quota, 7), "") << number;
    for (int i = 0; i < 100; ++i) {
      const auto refused = ask(quota, 7);
      ASSERT_FALSE(refused) << number;
      const Milliseconds wait = *refused.error().wait;
      const Milliseconds early = std::max(wait - 2ms, Milliseconds(0));
      pass(early);
      ASSERT_NE(refusal(quota, 7), "") << number;
      pass(wait - early);
      ASSERT_EQ(refusal(quota, 7), "") << number;
    }
  }
}

TEST_F(MeterTest, FollowsAQuotaThatChanges) {
  EXPECT_EQ(refusal({.requests_per_minute = 1}), "");
  EXPECT_EQ(refusal({.requests_per_minute = 1}), "rpm 60000");
  EXPECT_EQ(refusal({.requests_per_minute = 2}), "");
  EXPECT_EQ(refusal({.requests_per_minute = 2}), "rpm 30000");
}

TEST_F(MeterTest, NeverGivesMoreThanThereIsToCallersAtOnce) {
  const Quota quota{.requests_per_minute = 1000, .tokens_per_minute = 5000, .streams = 50};
  std::atomic<int> admitted = 0, running = 0, most = 0;
  std::atomic<std::int64_t> used = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 100; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 100; ++i) {
        auto lease = ask(quota, 10, true);
        if (!lease) continue;
        const int now_running = ++running;
        int before = most;
        while (before < now_running && !most.compare_exchange_weak(before, now_running)) {
        }
        ++admitted;
        const std::int64_t tokens = caller % 11;
        (*lease)->used(tokens);
        used += tokens;
        --running;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(admitted, 1000);
  EXPECT_LE(used, 5000);
  EXPECT_LE(most, 50);
  EXPECT_EQ(meter->left(quota, Limit::requests_per_minute, now, date), 1000 - admitted);
  EXPECT_EQ(meter->left(quota, Limit::tokens_per_minute, now, date), 5000 - used);
  EXPECT_EQ(meter->left(quota, Limit::streams, now, date), 50);
}

}  // namespace
}  // namespace craton::auth
