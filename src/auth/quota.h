// Quota: how much may be asked for in a minute, in a day and at once.
//
//   10rpm,20000tpm,1000000tpd,4streams                      as words, for flags
//   {"requests-per-minute": 10, "tokens-per-minute": 20000} as members, for craton.yaml and JSON
//   anthropic.*=10rpm,20000tpm,amazon.*=5rpm                rules: of which models
//
// Plain values: no I/O, no threads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::auth {

enum class Limit { requests_per_minute, tokens_per_minute, tokens_per_day, streams };

struct Quota {
  std::optional<std::int64_t> requests_per_minute = std::nullopt;
  std::optional<std::int64_t> tokens_per_minute = std::nullopt;
  std::optional<std::int64_t> tokens_per_day = std::nullopt;
  std::optional<std::int64_t> streams = std::nullopt;  ///< Streamed answers at once.

  bool empty() const { return *this == Quota{}; }
  friend bool operator==(const Quota&, const Quota&) = default;
};

/// What a limit counts.
enum class Counted { requests, tokens, streams };

/// When what was taken of it is there again.
enum class Refill {
  evenly,        ///< All of it within a minute, a little at a time.
  at_midnight,   ///< UTC.
  when_it_ends,  ///< When the answer does.
};

/// What each limit is, how it is called, and what Bedrock says past it.
struct LimitShape {
  Limit limit;
  Counted counted;
  Refill refill;
  std::optional<std::int64_t> Quota::* field;
  std::string_view name;       ///< In craton.yaml, in flags, in labels of metrics.
  std::string_view json_name;  ///< In the file of keys.
  std::string_view unit;       ///< Behind a number, as words.
  std::string_view refusal;    ///< Of ThrottlingException.
};

// Source of the texts: recorded refusals; that of streams is ours, after their pattern.
inline constexpr std::array limit_shapes{
    LimitShape{Limit::requests_per_minute, Counted::requests, Refill::evenly,
               &Quota::requests_per_minute, "requests-per-minute", "requestsPerMinute", "rpm",
               "Too many requests, please wait before trying again."},
    LimitShape{Limit::tokens_per_minute, Counted::tokens, Refill::evenly, &Quota::tokens_per_minute,
               "tokens-per-minute", "tokensPerMinute", "tpm",
               "Too many tokens, please wait before trying again."},
    LimitShape{Limit::tokens_per_day, Counted::tokens, Refill::at_midnight, &Quota::tokens_per_day,
               "tokens-per-day", "tokensPerDay", "tpd",
               "Too many tokens per day, please wait before trying again."},
    LimitShape{Limit::streams, Counted::streams, Refill::when_it_ends, &Quota::streams, "streams",
               "streams", "streams",
               "Too many concurrent streams, please wait before trying again."},
};

constexpr bool in_enum_order(const decltype(limit_shapes)& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].limit) != i) return false;
  }
  return rows.size() == static_cast<std::size_t>(Limit::streams) + 1;
}
static_assert(in_enum_order(limit_shapes), "one row per Limit, in its order");

constexpr const LimitShape& shape_of(Limit limit) {
  return limit_shapes[static_cast<std::size_t>(limit)];
}

/// The most that a limit may be: what a computer counts in a day is below it.
inline constexpr std::int64_t limit_max = 1'000'000'000'000;

/// Of "10rpm,20000tpm". Fails with `validation`, saying what was expected; also for a limit that is
/// there twice, and for none at all.
Result<Quota> read_quota(std::string_view words);
std::string text_of(const Quota& quota);

/// Sets the limit of that name. Fails with `validation` as read_quota().
Result<void> set_limit(Quota& quota, std::string_view name, std::int64_t number);

/// A quota of each model whose id fits.
struct QuotaRule {
  std::string models;  ///< A pattern of ids of models and inference profiles: "anthropic.*".
  Quota quota;

  friend bool operator==(const QuotaRule&, const QuotaRule&) = default;
};

/// Fails with `validation` for a pattern that no id can fit.
Result<void> check_models(std::string_view pattern);

/// Of "anthropic.*=10rpm,20000tpm,amazon.*=5rpm". Fails with `validation` as read_quota().
Result<std::vector<QuotaRule>> read_quota_rules(std::string_view text);
std::string text_of(const std::vector<QuotaRule>& rules);

}  // namespace craton::auth
