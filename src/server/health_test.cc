#include "server/health.h"

#include <gtest/gtest.h>

#include <vector>

namespace craton::server {
namespace {

class FakeEngine : public engines::Engine {
 public:
  explicit FakeEngine(engines::State state) : state_(state) {}
  std::string_view kind() const override { return "fake"; }
  std::string_view model() const override { return "tiny"; }
  engines::Status status() const override { return {state_, ""}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Result<std::shared_ptr<engines::Generation>> generate(Conversation,
                                                        const engines::Limits&) override {
    return Error{ErrorCode::model_error, "fake"};
  }
  Result<int> count_tokens(const Conversation&) override { return 0; }

 private:
  engines::State state_;
};

http::Request get(std::string target) {
  return {.method = "GET", .target = std::move(target), .headers = {}, .body = {}, .peer = {}};
}

http::Response probe(std::string target, const Engines& kept) {
  return answer_probe(get(std::move(target)), kept);
}

std::shared_ptr<const engines::Engine> engine(engines::State state) {
  return std::make_shared<FakeEngine>(state);
}

TEST(Health, IsOkWhateverTheModelDoes) {
  const auto loading = engine(engines::State::loading);
  EXPECT_EQ(probe("/health", {loading}).status, 200);
}

TEST(Probes, HaveRequestIdsLikeEveryAnswer) {
  const auto first = probe("/health", {}).headers.find("x-amzn-RequestId");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 36u);
}

TEST(Ready, Is503UntilTheModelIsLoaded) {
  const auto loading = engine(engines::State::loading);
  const auto failed = engine(engines::State::failed);
  const auto ready = engine(engines::State::ready);
  EXPECT_EQ(probe("/ready", {loading}).status, 503);
  EXPECT_EQ(probe("/ready", {failed}).status, 503);
  EXPECT_EQ(probe("/ready", {ready}).status, 200);
  EXPECT_EQ(probe("/ready", {ready}).body, R"({"status":"ready","model":"tiny"})");
}

TEST(Ready, IsAsFarAsTheLastOfSeveral) {
  const auto loading = engine(engines::State::loading);
  const auto failed = engine(engines::State::failed);
  const auto ready = engine(engines::State::ready);
  EXPECT_EQ(probe("/ready", {ready, loading}).body,
            R"({"status":"loading","models":[{"model":"tiny","status":"ready"},)"
            R"({"model":"tiny","status":"loading"}]})");
  EXPECT_EQ(probe("/ready", {ready, loading}).status, 503);
  EXPECT_EQ(probe("/ready", {failed, loading}).status, 503);
  EXPECT_EQ(probe("/ready", {ready, ready}).status, 200);
}

TEST(Ready, NeedsNoModelWhereNoneIsBound) { EXPECT_EQ(probe("/ready", {}).status, 200); }

TEST(Probes, LeaveEverythingElseToBedrock) {
  EXPECT_TRUE(is_probe(get("/health")));
  EXPECT_FALSE(is_probe(get("/foundation-models")));
  http::Request post = get("/health");
  post.method = "POST";
  EXPECT_FALSE(is_probe(post));
}

}  // namespace
}  // namespace craton::server
