#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace craton::catalog {
namespace {

namespace bj = boost::json;

/// The day that the data is as of.
WallTime facts_day() { return WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)); }
WallTime spring_2024() { return WallTime(std::chrono::sys_days(std::chrono::year(2024) / 4 / 1)); }

bj::value data_file(const std::string& name) {
  std::ifstream file(std::string(CRATON_SOURCE_DIR "/data/") + name);
  return bj::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

const Catalog& seed() {
  static const Catalog catalog(View::seed, facts_day);
  return catalog;
}
const Catalog& today() {
  static const Catalog catalog(View::today, facts_day);
  return catalog;
}
const Catalog& all() {
  static const Catalog catalog(View::all, facts_day);
  return catalog;
}

bj::array listed(const Catalog& catalog, std::string_view region = "us-east-1",
                 const ModelFilter& filter = {}) {
  return bj::parse(*catalog.list_models(region, filter)).at("modelSummaries").as_array();
}

std::vector<std::string> ids(const bj::array& models) {
  std::vector<std::string> names;
  for (const bj::value& model : models) names.emplace_back(model.at("modelId").as_string());
  return names;
}

/// "Type: message", or the id of the model that was found.
std::string resolved(const Catalog& catalog, std::string_view id,
                     std::string_view region = "us-east-1") {
  const Result<Invocable> found = catalog.resolve(region, id);
  if (!found) return std::string(shape_of(found.error().code).name) + ": " + found.error().message;
  return std::string(found->model->id) +
         (found->profile_id.empty() ? "" : " by " + std::string(found->profile_id));
}

constexpr std::string_view invalid =
    "ValidationException: The provided model identifier is invalid.";
constexpr std::string_view ended =
    "ResourceNotFoundException: This model version has reached the end of its life. Please refer "
    "to "
    "the AWS documentation for more details.";

std::string not_on_demand(std::string_view id) {
  return "ValidationException: Invocation of model ID " + std::string(id) +
         " with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN "
         "of "
         "an inference profile that contains this model.";
}

TEST(SeedView, IsTheRecordMemberForMember) {
  const bj::array record = data_file("foundation-models/seed.json").as_array();
  ASSERT_EQ(record.size(), 55u);
  EXPECT_EQ(listed(seed()), record);
  EXPECT_EQ(bj::serialize(listed(seed())), bj::serialize(record)) << "order and absence of members";
}

TEST(SeedView, IsTheSameInEveryRegionButForTheArns) {
  const bj::array korean = listed(seed(), "ap-northeast-2");
  EXPECT_EQ(ids(korean), ids(listed(seed())));
  for (const bj::value& model : korean) {
    EXPECT_EQ(model.at("modelArn").as_string(),
              "arn:aws:bedrock:ap-northeast-2::foundation-model/" +
                  std::string(model.at("modelId").as_string()));
  }
}

TEST(SeedView, HasNoInferenceProfiles) {
  EXPECT_EQ(*seed().list_profiles("us-east-1", "", 1000, ""),
            R"({"inferenceProfileSummaries":[]})");
  EXPECT_EQ(resolved(seed(), "us.amazon.nova-micro-v1:0"), invalid);
}

TEST(SeedView, KeepsEndedModelsForEver) {
  EXPECT_EQ(resolved(seed(), "anthropic.claude-v2"), "anthropic.claude-v2");
}

TEST(AllView, BeginsWithTheSeedsIdsInTheirOrder) {
  const std::vector<std::string> names = ids(listed(all()));
  const std::vector<std::string> seeds = ids(listed(seed()));
  ASSERT_GT(names.size(), seeds.size());
  EXPECT_TRUE(std::equal(seeds.begin(), seeds.end(), names.begin()));
  EXPECT_TRUE(std::is_sorted(names.begin() + 55, names.end()));
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
}

TEST(AllView, InvokesEverySeedIdThatTheSeedInvokes) {
  for (const std::string& id : ids(listed(seed()))) {
    const bool on_demand = resolved(seed(), id) == id;
    if (on_demand) {
      EXPECT_EQ(resolved(all(), id), id);
    }
  }
}

TEST(TodayView, ListsWhatTheRecordListsInTheRegion) {
  for (const std::string region : {"us-east-1", "us-west-2", "eu-central-1", "ap-northeast-2"}) {
    std::set<std::string> expected;
    const bj::value record = data_file("foundation-models/today.json");
    for (const bj::value& entry : record.as_array()) {
      const auto* regions = entry.at("facts").as_object().if_contains("listedRegions");
      if (!regions) continue;
      if (std::ranges::any_of(regions->as_array(),
                              [&](const bj::value& each) { return each.as_string() == region; })) {
        expected.emplace(entry.at("summary").at("modelId").as_string());
      }
    }
    const std::vector<std::string> names = ids(listed(today(), region));
    EXPECT_FALSE(names.empty());
    EXPECT_EQ(std::set(names.begin(), names.end()), expected) << region;
  }
}

TEST(TodayView, RefusesWhatHasEnded) {
  EXPECT_EQ(resolved(today(), "amazon.titan-tg1-large"), ended);
  const Result<std::string> got = today().get_model("us-east-1", "amazon.titan-tg1-large");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::resource_not_found);
}

TEST(AllView, HasImageModelsAfterTheirEndAndDoesNotListThem) {
  for (const std::string_view id :
       {"amazon.titan-image-generator-v2:0", "amazon.nova-canvas-v1:0"}) {
    EXPECT_EQ(resolved(today(), id), ended);
    EXPECT_EQ(resolved(all(), id), id);
    const std::vector<std::string> names = ids(listed(all()));
    EXPECT_EQ(std::ranges::find(names, id), names.end());
  }
}

/// A model of today's list with an end, still to come on the day of the facts.
TEST(TodayView, EndsAModelWhenItsTimePassesWhileTheServerRuns) {
  static WallTime now = facts_day();
  const Catalog catalog(View::today, [] { return now; });
  const auto at_end = [](std::string_view id) {
    const bj::value record = data_file("foundation-models/today.json");
    for (const bj::value& entry : record.as_array()) {
      const bj::object& summary = entry.at("summary").as_object();
      if (summary.at("modelId").as_string() != id) continue;
      return std::string(summary.at("modelLifecycle").at("endOfLifeTime").as_string());
    }
    return std::string();
  };
  std::string ending;
  for (const bj::value& model : listed(catalog)) {
    const bj::object& lifecycle = model.at("modelLifecycle").as_object();
    const std::string id(model.at("modelId").as_string());
    if (lifecycle.contains("endOfLifeTime") && resolved(catalog, id) == id &&
        at_end(id).substr(0, 10) > "2026-11-23") {
      ending = id;
      break;
    }
  }
  ASSERT_FALSE(ending.empty());
  now = WallTime(std::chrono::sys_days(std::chrono::year(2100) / 1 / 1));
  EXPECT_EQ(resolved(catalog, ending), ended);
  const std::vector<std::string> names = ids(listed(catalog));
  EXPECT_EQ(std::ranges::find(names, ending), names.end());
}

TEST(Lists, TakeEachFilterAndAllTogether) {
  const bj::array meta = listed(seed(), "us-east-1", {.provider = "meta"});
  EXPECT_EQ(meta.size(), 8u);
  EXPECT_EQ(
      listed(seed(), "us-east-1", {.output_modality = "EMBEDDING"}).size(),
      static_cast<std::size_t>(std::ranges::count_if(listed(seed()), [](const bj::value& model) {
        return model.at("outputModalities").as_array() == bj::array{"EMBEDDING"};
      })));
  EXPECT_EQ(listed(seed(), "us-east-1", {.inference_type = "ON_DEMAND"}).size(), 30u);
  EXPECT_EQ(listed(seed(), "us-east-1", {.inference_type = "PROVISIONED"}).size(), 20u);
  const bj::array narrow = listed(seed(), "us-east-1",
                                  {.provider = "Amazon",
                                   .output_modality = "TEXT",
                                   .inference_type = "PROVISIONED",
                                   .customization_type = "FINE_TUNING"});
  for (const bj::value& model : narrow) EXPECT_EQ(model.at("providerName").as_string(), "Amazon");
  EXPECT_EQ(narrow.size(), 2u);
  EXPECT_TRUE(listed(seed(), "us-east-1", {.provider = "Nobody"}).empty());
}

TEST(Lists, AreMadeOnceARegionAndFilter) {
  const auto first = all().list_models("eu-west-1", {});
  EXPECT_EQ(all().list_models("eu-west-1", {}), first);
  EXPECT_NE(all().list_models("eu-west-2", {}), first);
}

TEST(Lists, OfAnUnknownRegionAreUsEast1sUnderItsName) {
  const bj::array local = listed(today(), "local-1");
  EXPECT_EQ(ids(local), ids(listed(today())));
  EXPECT_TRUE(local.front().at("modelArn").as_string().starts_with("arn:aws:bedrock:local-1::"));
}

TEST(Lists, NameTheRegionsPartition) {
  const bj::array government = listed(seed(), "us-gov-west-1");
  EXPECT_TRUE(government.front().at("modelArn").as_string().starts_with("arn:aws-us-gov:bedrock:"));
}

struct Resolution {
  const char* name;
  std::string_view region;
  std::string_view id;
  std::string_view told;
};

const Resolution resolutions[] = {
    {"an_id", "us-east-1", "anthropic.claude-3-haiku-20240307-v1:0",
     "anthropic.claude-3-haiku-20240307-v1:0"},
    {"an_arn", "us-east-1",
     "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
     "anthropic.claude-3-haiku-20240307-v1:0"},
    {"a_profile", "us-east-1", "us.amazon.nova-micro-v1:0",
     "amazon.nova-micro-v1:0 by us.amazon.nova-micro-v1:0"},
    {"a_profiles_arn", "us-east-1",
     "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-micro-v1:0",
     "amazon.nova-micro-v1:0 by us.amazon.nova-micro-v1:0"},
    {"a_profile_at_home", "eu-central-1", "eu.amazon.nova-micro-v1:0",
     "amazon.nova-micro-v1:0 by eu.amazon.nova-micro-v1:0"},
    {"a_profile_of_another_geography", "eu-central-1", "us.amazon.nova-micro-v1:0", invalid},
    {"legacy", "us-east-1", "stability.stable-diffusion-xl", "stability.stable-diffusion-xl"},
    {"ended_and_draws", "us-east-1", "amazon.titan-image-generator-v2:0",
     "amazon.titan-image-generator-v2:0"},
    {"ended_without_a_date_and_draws", "us-east-1", "stability.sd3-large-v1:0",
     "stability.sd3-large-v1:0"},
    {"unknown", "us-east-1", "anthropic.claude-9-v1:0", invalid},
    {"empty", "us-east-1", "", invalid},
    {"an_arn_of_nothing", "us-east-1", "arn:aws:bedrock:us-east-1::foundation-model/", invalid},
    {"another_services_arn", "us-east-1", "arn:aws:s3:::bucket", invalid},
    {"a_made_up_revision", "us-east-1", "anthropic.claude-3-haiku-20240307-v1:1", invalid},
};

class Resolving : public testing::TestWithParam<Resolution> {};

TEST_P(Resolving, FindsOrRefuses) {
  EXPECT_EQ(resolved(all(), GetParam().id, GetParam().region), GetParam().told);
}

INSTANTIATE_TEST_SUITE_P(All, Resolving, testing::ValuesIn(resolutions),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Resolve, TakesAModelThatIsSoldThroughProfilesForCounting) {
  const std::string_view id = "anthropic.claude-sonnet-4-5-20250929-v1:0";
  ASSERT_EQ(resolved(all(), id), not_on_demand(id));
  const auto counted = all().resolve("us-east-1", id, Use::count_tokens);
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->model->id, id);
}

TEST(Resolve, RefusesOnDemandWhatIsSoldByTheHourOrThroughProfiles) {
  for (const std::string_view id :
       {"anthropic.claude-3-haiku-20240307-v1:0:48k", "amazon.titan-text-lite-v1:0:4k",
        "meta.llama2-13b-v1", "anthropic.claude-haiku-4-5-20251001-v1:0", "deepseek.r1-v1:0"}) {
    EXPECT_EQ(resolved(all(), id), not_on_demand(id));
  }
}

TEST(Resolve, KnowsNoResourcesOfAccounts) {
  const Result<Invocable> found = all().resolve(
      "us-east-1", "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::resource_not_found);
}

TEST(Resolve, TakesEveryListedModelByIdAndArn) {
  for (const bj::value& model : listed(all())) {
    const std::string id(model.at("modelId").as_string());
    const std::string arn(model.at("modelArn").as_string());
    EXPECT_EQ(resolved(all(), id), resolved(all(), arn)) << id;
    EXPECT_NE(resolved(all(), id), invalid) << id;
    const Result<std::string> got = all().get_model("us-east-1", arn);
    ASSERT_TRUE(got) << id;
    EXPECT_EQ(bj::parse(*got).at("modelDetails"), model);
  }
}

TEST(Profiles, ComeInPagesThatMakeTheWhole) {
  const auto whole =
      bj::parse(*all().list_profiles("us-east-1", "", 1000, "")).at("inferenceProfileSummaries");
  ASSERT_GT(whole.as_array().size(), 10u);
  bj::array together;
  std::string token;
  do {
    const Result<std::string> text = all().list_profiles("us-east-1", "SYSTEM_DEFINED", 7, token);
    ASSERT_TRUE(text);
    const bj::object page = bj::parse(*text).as_object();
    EXPECT_LE(page.at("inferenceProfileSummaries").as_array().size(), 7u);
    for (const bj::value& profile : page.at("inferenceProfileSummaries").as_array()) {
      together.push_back(profile);
    }
    const auto* next = page.if_contains("nextToken");
    token = next ? std::string(next->as_string()) : std::string();
  } while (!token.empty());
  EXPECT_EQ(together, whole.as_array());
}

TEST(Profiles, AreTheRegionsOwnAndCanBeGotByIdAndArn) {
  for (const std::string region : {"us-east-1", "eu-central-1"}) {
    const auto page = bj::parse(*all().list_profiles(region, "", 1000, ""));
    for (const bj::value& profile : page.at("inferenceProfileSummaries").as_array()) {
      const std::string id(profile.at("inferenceProfileId").as_string());
      const std::string geography = id.substr(0, id.find('.'));
      EXPECT_TRUE(geography == "global" || geography == region.substr(0, 2)) << id;
      for (const auto* name : {"inferenceProfileId", "inferenceProfileArn"}) {
        const auto got = all().get_profile(region, profile.at(name).as_string());
        ASSERT_TRUE(got) << id;
        EXPECT_EQ(bj::parse(*got), profile);
      }
    }
  }
}

TEST(Profiles, RefuseTokensThatNoPageGave) {
  for (const auto* token : {"x", "bm90IGEgdG9rZW4", "99999999999999999999"}) {
    const auto page = all().list_profiles("us-east-1", "", 10, token);
    ASSERT_FALSE(page) << token;
    EXPECT_EQ(page.error().code, ErrorCode::validation);
  }
  EXPECT_EQ(*all().list_profiles("us-east-1", "APPLICATION", 10, ""),
            R"({"inferenceProfileSummaries":[]})");
}

TEST(Catalogue, WorksInSpring2024Too) {
  const Catalog then(View::today, spring_2024);
  EXPECT_FALSE(listed(then).empty());
}

constexpr struct {
  std::string_view id;
  Capabilities converse;
} seed_capabilities[] = {
    {"amazon.titan-text-express-v1", {.chat = true, .documents = true}},
    {"amazon.titan-text-lite-v1:0:4k", {.chat = true, .documents = true}},
    {"amazon.titan-embed-text-v1", {}},
    {"ai21.j2-ultra-v1", {.chat = true}},
    {"anthropic.claude-v2:1", {.chat = true, .system = true, .documents = true, .prefill = true}},
    {"anthropic.claude-3-haiku-20240307-v1:0",
     {.chat = true,
      .system = true,
      .tools = true,
      .streaming_tools = true,
      .vision = true,
      .documents = true,
      .tool_choice_any = true,
      .tool_choice_tool = true,
      .prefill = true}},
    {"cohere.command-text-v14", {.chat = true, .documents = true}},
    {"meta.llama2-13b-v1", {.separate_tool_turns = true}},
    {"meta.llama2-13b-chat-v1", {.chat = true, .system = true, .documents = true}},
    {"mistral.mixtral-8x7b-instruct-v0:1", {.chat = true, .documents = true}},
};

TEST(Capabilities, OfTheSeedsModelsAreThoseOfSpring2024) {
  const std::set<std::string_view> provisioned_only = {"amazon.titan-text-lite-v1:0:4k",
                                                       "meta.llama2-13b-v1"};
  for (const auto& [id, converse] : seed_capabilities) {
    if (provisioned_only.contains(id)) continue;
    const Result<Invocable> found = seed().resolve("us-east-1", id);
    ASSERT_TRUE(found) << id;
    EXPECT_EQ(found->model->converse, converse) << id;
  }
}

TEST(Capabilities, OfTodaysModelsAreThoseOfTheirFacts) {
  const bj::value file = data_file("foundation-models/today.json");
  for (const bj::value& entry : file.as_array()) {
    const bj::object& facts = entry.at("facts").as_object();
    const std::string id(entry.at("summary").at("modelId").as_string());
    const Result<Invocable> found = today().resolve("us-east-1", id);
    if (!found) continue;
    const bj::array named =
        facts.contains("capabilities") ? facts.at("capabilities").as_array() : bj::array();
    const auto has = [&](std::string_view name) {
      return std::ranges::find(named, bj::value(name)) != named.end();
    };
    const Capabilities& converse = found->model->converse;
    EXPECT_EQ(converse.chat, has("chat")) << id;
    EXPECT_EQ(converse.tools, has("tools")) << id;
    EXPECT_EQ(converse.streaming_tools, has("streamingTools")) << id;
    EXPECT_EQ(converse.prompt_caching, has("promptCaching")) << id;
    EXPECT_EQ(converse.count_tokens, has("countTokens")) << id;
    EXPECT_EQ(converse.guardrails, has("guardrails")) << id;
  }
}

}  // namespace
}  // namespace craton::catalog
