#include "auth/quota.h"

#include <gtest/gtest.h>

#include "auth/quota_table.h"

namespace craton::auth {
namespace {

using namespace std::chrono_literals;

struct Words {
  const char* name;
  const char* text;
  const char* read;  ///< As it is written again, or how the refusal begins.
};

class QuotaRules : public testing::TestWithParam<Words> {};

TEST_P(QuotaRules, AreReadOrRefused) {
  const auto rules = read_quota_rules(GetParam().text);
  const std::string told = rules ? text_of(*rules) : rules.error().message;
  EXPECT_TRUE(rules ? told == GetParam().read : told.starts_with(GetParam().read)) << told;
}

constexpr Words words[] = {
    {"One", "anthropic.*=10rpm", "anthropic.*=10rpm"},
    {"AllLimits", "*=4streams,30tpd,20tpm,10rpm", "*=10rpm,20tpm,30tpd,4streams"},
    {"Several", "a.*=1rpm,2tpm,b.*=3rpm", "a.*=1rpm,2tpm,b.*=3rpm"},
    {"Largest", "a=1000000000000tpd", "a=1000000000000tpd"},
    {"Nothing", "", "expected PATTERN=QUOTA, such as 'anthropic.*=10rpm,20000tpm', found ''"},
    {"NoPattern", "10rpm", "expected PATTERN=QUOTA"},
    {"EmptyPattern", "=10rpm", "expected a pattern of model ids, such as 'anthropic.*', found ''"},
    {"NoQuota", "a=", "expected a number and its unit: 10rpm,"},
    {"NoUnit", "a=10", "expected a number and its unit"},
    {"UnknownUnit", "a=10rps",
     "expected a number and its unit: 10rpm, 20000tpm, 1000000tpd or "
     "4streams, found '10rps'"},
    {"Zero", "a=0rpm",
     "expected requests-per-minute to be a whole number from 1 to 1000000000000, "
     "found '0'"},
    {"Negative", "a=-1rpm", "expected requests-per-minute to be a whole number"},
    {"Fraction", "a=1.5rpm", "expected a number and its unit"},
    {"TooLarge", "a=1000000000001tpd", "expected tokens-per-day to be a whole number"},
    {"FarTooLarge", "a=99999999999999999999tpd", "expected a number and its unit"},
    {"Twice", "a=1rpm,2rpm", "expected requests-per-minute once, found 'requests-per-minute'"},
    {"TwoCommas", "a=1rpm,,b=2rpm", "expected a number and its unit"},
    {"Space", "a b=1rpm", "expected a pattern of model ids"},
};
INSTANTIATE_TEST_SUITE_P(Words, QuotaRules, testing::ValuesIn(words),
                         [](const auto& row) { return std::string(row.param.name); });

class QuotaTableTest : public testing::Test {
 protected:
  SteadyTime now{};
  WallTime date = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

  static constexpr std::string_view sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";

  /// The rule that refuses; "" for none.
  std::string refusal(QuotaTable& table, const QuotaTable::Model& model, std::int64_t tokens = 0) {
    auto leases = table.admit(model, {.tokens = tokens, .now = now, .date = date});
    if (!leases) return leases.error().models;
    for (auto& lease : *leases) lease->used(tokens);
    return "";
  }
};

TEST_F(QuotaTableTest, CountsEveryModelByItself) {
  QuotaTable quotas(*read_quota_rules("anthropic.*=1rpm"));
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a"}), "");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a"}), "anthropic.*");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.b"}), "");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "amazon.a"}), "");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "amazon.a"}), "") << "there is no quota of it";
  EXPECT_EQ(refusal(quotas, {"eu-west-1", "anthropic.a"}), "") << "a Region has its own";
}

TEST_F(QuotaTableTest, CountsOnDemandAndCrossRegionApart) {
  QuotaTable quotas(*read_quota_rules("anthropic.*=1rpm"));
  for (const std::string_view profile : {"", "us.anthropic.a", "global.anthropic.a"}) {
    EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a", profile}), "") << profile;
    EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a", profile}), "anthropic.*") << profile;
  }
}

TEST_F(QuotaTableTest, CountsTokensADayOverAll) {
  QuotaTable quotas(*read_quota_rules("anthropic.*=2rpm,100tpd"));
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a"}, 60), "");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a", "us.anthropic.a"}, 60), "anthropic.*");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a", "us.anthropic.a"}, 20), "");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a", "us.anthropic.a"}, 20), "")
      << "the one that was refused took nothing of the minute's requests";
}

TEST_F(QuotaTableTest, TakesTheFirstRuleThatFitsAnIdOrAProfile) {
  QuotaTable quotas(*read_quota_rules("us.anthropic.*=2rpm,anthropic.*=1rpm,*=3rpm"));
  const QuotaTable::Model by_profile{"us-east-1", "anthropic.a", "us.anthropic.a"};
  EXPECT_EQ(refusal(quotas, by_profile), "");
  EXPECT_EQ(refusal(quotas, by_profile), "");
  EXPECT_EQ(refusal(quotas, by_profile), "us.anthropic.*");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a"}), "");
  EXPECT_EQ(refusal(quotas, {"us-east-1", "anthropic.a"}), "anthropic.*");
  EXPECT_TRUE(quotas.covers({"us-east-1", "meta.a"}));
}

TEST_F(QuotaTableTest, TellsWhatIsLeft) {
  QuotaTable quotas(*read_quota_rules("anthropic.*=2rpm,100tpm,500tpd"));
  (void)refusal(quotas, {"us-east-1", "anthropic.a", "us.anthropic.a"}, 40);
  (void)refusal(quotas, {"us-east-1", "anthropic.a", "us.anthropic.a"}, 70);
  const auto rows = quotas.rows(now, date);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].throttled, 1u);
  ASSERT_EQ(rows[0].uses.size(), 2u);
  EXPECT_EQ(rows[0].uses[0].scope, "");
  EXPECT_EQ(text_of(rows[0].uses[0].left), "460tpd");
  EXPECT_EQ(rows[0].uses[1].scope, "cross-region");
  EXPECT_EQ(text_of(rows[0].uses[1].left), "1rpm,60tpm");
}

TEST_F(QuotaTableTest, IsReplacedAndResetFull) {
  QuotaTable quotas(*read_quota_rules("a=1rpm"));
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "");
  quotas.replace(*read_quota_rules("a=2rpm"));
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "");
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "");
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "a");
  quotas.replace({});
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "");
  EXPECT_FALSE(quotas.covers({"r", "a"}));
  quotas.reset();
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "");
  EXPECT_EQ(refusal(quotas, {"r", "a"}), "a");
}

TEST_F(QuotaTableTest, ForgetsStreamsThatRanBeforeItWasReplaced) {
  QuotaTable quotas(*read_quota_rules("a=1streams"));
  const Meter::Request stream{.streamed = true, .now = now, .date = date};
  auto running = quotas.admit({"r", "a"}, stream);
  ASSERT_TRUE(running);
  EXPECT_FALSE(quotas.admit({"r", "a"}, stream));
  quotas.reset();
  auto another = quotas.admit({"r", "a"}, stream);
  EXPECT_TRUE(another);
  running->clear();
  EXPECT_FALSE(quotas.admit({"r", "a"}, stream));
}

TEST_F(QuotaTableTest, BoundsWhatCallersMakeUp) {
  QuotaTable quotas(*read_quota_rules("*=1rpm"));
  for (int i = 0; i < 5000; ++i) {
    (void)refusal(quotas, {"region-" + std::to_string(i), sonnet});
  }
  EXPECT_LE(quotas.rows(now, date)[0].uses.size(), 4097u);
  EXPECT_EQ(refusal(quotas, {"region-5001", sonnet}), "*") << "it shares what the others share";
}

}  // namespace
}  // namespace craton::auth
