#include "server/new_binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace craton::server {
namespace {

using testing::HasSubstr;
using testing::Pair;

std::string refusal_of(std::string_view body) {
  const auto binding = read_new_binding(body);
  return binding ? "it was taken" : binding.error().message;
}

TEST(NewBinding, NamesAModel) {
  const auto binding = read_new_binding(R"({"pattern":"anthropic.*","model":"aws:work"})");
  ASSERT_TRUE(binding);
  EXPECT_EQ(binding->pattern, "anthropic.*");
  EXPECT_EQ(binding->model, "aws:work");
  EXPECT_TRUE(binding->settings.empty());
}

TEST(NewBinding, DescribesAModel) {
  const auto binding = read_new_binding(
      R"({"pattern":"*","model":{"upstream":["http://a:1","http://b:1"],"parallel":8,"keep":true}})");
  ASSERT_TRUE(binding);
  EXPECT_THAT(binding->settings, testing::ElementsAre(Pair("upstream", "http://a:1,http://b:1"),
                                                      Pair("parallel", "8"), Pair("keep", "true")));
}

TEST(NewBinding, TellsRules) {
  EXPECT_EQ(read_new_binding(R"({"pattern":"*","rules":[{"answer":"a"}]})")->rules,
            R"({"rules":[{"answer":"a"}]})");
  EXPECT_EQ(read_new_binding(R"({"pattern":"*","rules":{"faults":["drop"]}})")->rules,
            R"({"faults":["drop"]})");
  EXPECT_EQ(read_new_binding(R"({"pattern":"*","rules":"rules: []"})")->rules, "rules: []");
}

TEST(NewBinding, IsRefusedWithTheReason) {
  EXPECT_THAT(refusal_of("{"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(refusal_of(R"({"model":"a"})"), HasSubstr("'pattern'"));
  EXPECT_THAT(refusal_of(R"({"pattern":""})"), HasSubstr("pattern: expected"));
  EXPECT_THAT(refusal_of(R"({"pattern":"*"})"), HasSubstr("either a 'model' or 'rules'"));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":"a","rules":[1]})"),
              HasSubstr("either a 'model' or 'rules'"));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","modell":"a"})"), HasSubstr("did you mean 'model'?"));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":3})"), HasSubstr("model: expected a name"));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":{}})"), HasSubstr("model: expected a name"));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":{"file":{}}})"), HasSubstr("model.file: "));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":{"rpc":[[]]}})"), HasSubstr("model.rpc: "));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":{"rpc":["a:1",null]}})"),
              HasSubstr("model.rpc: "));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","model":{"rpc":[]}})"), HasSubstr("model.rpc: "));
  EXPECT_THAT(refusal_of(R"({"pattern":"*","rules":""})"), HasSubstr("rules: expected"));
}

std::string model_refusal(std::vector<std::pair<std::string, std::string>> settings) {
  const auto model = named_model(Config(), "b1", settings);
  return model ? "it was taken" : model.error().message;
}

TEST(NamedModelOfSettings, IsAsCratonYamlWouldHaveIt) {
  Config config;
  config.model.threads = 3;
  const auto named =
      named_model(config, "b1", {{"upstream", "http://a:1,http://b:1"}, {"parallel", "8"}});
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->name, "b1");
  EXPECT_EQ(named->config.upstream.size(), 2u);
  EXPECT_EQ(named->config.parallel, 8);
  EXPECT_EQ(named->config.threads, 3) << "as of all";
  EXPECT_THAT(model_refusal({{"contxt", "1"}}), HasSubstr("did you mean 'context'?"));
  EXPECT_THAT(model_refusal({{"context", "many"}}), HasSubstr("context: "));
  EXPECT_THAT(model_refusal({{"context", "2048"}}), HasSubstr("a model needs one of file"));
  EXPECT_THAT(model_refusal({{"host", "0.0.0.0"}}), HasSubstr("unknown key 'host' of a model"));
}

class FakeAnswerer final : public Answerer {
 public:
  std::string_view kind() const override { return "fake"; }
  bool can(Does) const override { return true; }
  Does does() const override { return Does::writes; }
  std::shared_ptr<engines::Engine> claim(engines::rules::RequestView&, const engines::Request&,
                                         engines::faults::Struck&) const override {
    return nullptr;
  }
};

std::shared_ptr<Bound> bound(std::string id, std::string pattern) {
  auto made = std::make_shared<Bound>();
  made->id = std::move(id);
  made->pattern = std::move(pattern);
  made->answerer = std::make_shared<FakeAnswerer>();
  return made;
}

std::string ids(const BindingTable& table) {
  std::string all;
  for (const auto& row : *table.rows()) all += row->id + ' ';
  return all;
}

TEST(BindingTable, WhatWasAddedStandsInFrontAndGoesAtAReset) {
  BindingTable table;
  table.start_with({bound("", "a"), bound("", "b")});
  EXPECT_EQ(ids(table), "b1 b2 ");
  table.add(bound(table.new_id(), "c"));
  table.add(bound(table.new_id(), "d"));
  EXPECT_EQ(ids(table), "b4 b3 b1 b2 ");
  EXPECT_TRUE(table.remove("b3"));
  EXPECT_TRUE(table.remove("b1"));
  EXPECT_FALSE(table.remove("b1"));
  EXPECT_EQ(ids(table), "b4 b2 ");
  table.start_with({bound("", "e")});
  EXPECT_EQ(ids(table), "b4 b5 ") << "read again: what was added stays";
  table.reset();
  EXPECT_EQ(ids(table), "b5 ");
}

TEST(BindingTable, AMomentOfItOutlivesWhatFollows) {
  BindingTable table;
  table.start_with({bound("", "a")});
  const auto before = table.rows();
  const std::weak_ptr<Answerer> answerer = before->front()->answerer;
  table.start_with({});
  table.reset();
  EXPECT_FALSE(answerer.expired()) << "who found it still asks it";
}

TEST(Bound, FitsTheCataloguesIdAndTheCallersOwn) {
  const auto us = bound("b1", "us.*");
  EXPECT_TRUE(us->fits("anthropic.claude", "us.anthropic.claude"));
  EXPECT_FALSE(us->fits("anthropic.claude", "anthropic.claude"));
  EXPECT_FALSE(us->fits("anthropic.claude", ""));
  const auto arn = bound("b2", "arn:aws:bedrock:*:inference-profile/*");
  EXPECT_TRUE(arn->fits("anthropic.claude", "arn:aws:bedrock:us-east-1:1:inference-profile/us.x"));
  EXPECT_EQ(binding_text(*us), R"({"id":"b1","pattern":"us.*","model":"","engine":"fake",)"
                               R"("added":false,"answered":0})");
}

}  // namespace
}  // namespace craton::server
