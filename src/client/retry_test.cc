#include "client/retry.h"

#include <gtest/gtest.h>

namespace craton::client {
namespace {

using namespace std::chrono_literals;
using Kind = CallError::Kind;

constexpr auto most = [] { return 1.0; };
constexpr auto half = [] { return 0.5; };

TEST(Retries, CausesAreThoseOfTheSdks) {
  struct Row {
    CallError error;
    RetryCause cause;
  };
  const Row rows[] = {
      {{.type = "ThrottlingException", .status = 429}, RetryCause::throttling},
      {{.type = "ModelNotReadyException", .status = 429}, RetryCause::transient},
      {{.type = "ServiceUnavailableException", .status = 503}, RetryCause::transient},
      {{.type = "InternalServerException", .status = 500}, RetryCause::transient},
      {{.type = "", .status = 502}, RetryCause::transient},
      {{.type = "ModelTimeoutException", .status = 408}, RetryCause::none},
      {{.type = "ModelErrorException", .status = 424}, RetryCause::none},
      {{.type = "ValidationException", .status = 400}, RetryCause::none},
      {{.type = "AccessDeniedException", .status = 403}, RetryCause::none},
      {{.kind = Kind::connection}, RetryCause::transient},
      {{.kind = Kind::time_out}, RetryCause::transient},
      {{.kind = Kind::credentials}, RetryCause::none},
      {{.kind = Kind::cancelled}, RetryCause::none},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(cause_of(row.error), row.cause) << row.error.type << row.error.status;
  }
}

TEST(Retries, WaitLongerEachTime) {
  Retries retries({.max_attempts = 9}, most);
  int taken = 0;
  EXPECT_EQ(retries.delay(RetryCause::transient, 1, {}, taken), 50ms);
  EXPECT_EQ(taken, 14);
  EXPECT_EQ(retries.delay(RetryCause::transient, 2, {}, taken), 100ms);
  EXPECT_EQ(retries.delay(RetryCause::throttling, 1, {}, taken), 1000ms);
  EXPECT_EQ(taken, 5);
  EXPECT_EQ(retries.delay(RetryCause::throttling, 3, {}, taken), 4000ms);
  EXPECT_EQ(retries.delay(RetryCause::throttling, 8, {}, taken), 20'000ms);
}

TEST(Retries, EndAfterSoManyAttempts) {
  Retries retries({.max_attempts = 3}, half);
  int taken = 0;
  EXPECT_TRUE(retries.delay(RetryCause::transient, 2, {}, taken));
  EXPECT_FALSE(retries.delay(RetryCause::transient, 3, {}, taken));
  EXPECT_FALSE(retries.delay(RetryCause::none, 1, {}, taken));
}

TEST(Retries, HeedTheServicesHint) {
  Retries retries({.max_attempts = 3}, half);
  int taken = 0;
  EXPECT_EQ(retries.delay(RetryCause::throttling, 1, 1500ms, taken), 1500ms);
  EXPECT_EQ(retries.delay(RetryCause::throttling, 1, 10ms, taken), 500ms);
  EXPECT_EQ(retries.delay(RetryCause::throttling, 1, 3600s, taken), 5500ms);
}

TEST(Retries, StopWhenTheServiceIsDown) {
  Retries retries({.max_attempts = 3}, half);
  int taken = 0;
  int granted = 0;
  while (retries.delay(RetryCause::transient, 1, {}, taken)) ++granted;
  EXPECT_EQ(granted, 500 / 14);
  retries.succeeded(taken);
  EXPECT_TRUE(retries.delay(RetryCause::transient, 1, {}, taken));
}

TEST(Retries, AdaptiveSlowsDownAndSpeedsUp) {
  Retries retries({.mode = RetryMode::adaptive, .max_attempts = 3}, half);
  SteadyTime now{};
  // Forty requests a second; the service takes ten.
  int allowed = 0;
  double tokens = 10;
  Milliseconds waited{};
  for (int i = 0; i < 400; ++i) {
    const Milliseconds wait = retries.before_sending(now);
    waited += wait;
    now += wait + 25ms;
    tokens = std::min(10.0, tokens + (wait + 25ms).count() / 100.0);
    const bool throttled = tokens < 1;
    if (!throttled) {
      tokens -= 1;
      ++allowed;
    }
    retries.answered(throttled, now);
  }
  EXPECT_GT(waited, 10s) << "it never slowed down";
  EXPECT_GT(allowed, 280) << "most are let through, as most are sent when they can be";
  const double rate = 400 / std::chrono::duration<double>(now - SteadyTime{}).count();
  EXPECT_GT(rate, 4);
}

TEST(Retries, StandardNeverWaitsBeforehand) {
  Retries retries({});
  retries.answered(true, SteadyTime{});
  EXPECT_EQ(retries.before_sending(SteadyTime{}), 0ms);
}

}  // namespace
}  // namespace craton::client
