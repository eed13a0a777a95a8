#include "api/timestamp.h"

#include <gtest/gtest.h>

namespace craton::api {
namespace {

TEST(Timestamp, TakesMomentsOfRfc3339) {
  for (const auto* text :
       {"2026-11-23T02:26:21Z", "2026-11-23T02:26:21.123456Z", "2026-11-23t02:26:21z",
        "2024-02-29T23:59:60+09:00", "2026-11-23T02:26:21-00:30"}) {
    EXPECT_TRUE(is_date_time(text)) << text;
  }
}

TEST(Timestamp, RefusesAnythingElse) {
  for (const auto* text :
       {"", "now", "1700000000", "2026-11-23", "2026-11-23 02:26:21Z", "2026-11-23T02:26:21",
        "2026-13-23T02:26:21Z", "2026-02-29T02:26:21Z", "2026-11-00T02:26:21Z",
        "2026-11-23T24:00:00Z", "2026-11-23T02:60:21Z", "2026-11-23T02:26:61Z",
        "2026-11-23T02:26:21.Z", "2026-11-23T02:26:21Z ", "2026-11-23T02:26:21+9:00",
        "2026-11-23T02:26:21+09:0", "-026-11-23T02:26:21Z", "2026-1-23T02:26:21Z"}) {
    EXPECT_FALSE(is_date_time(text)) << text;
  }
}

}  // namespace
}  // namespace craton::api
