#include "server/health.h"

#include <gtest/gtest.h>

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

TEST(Health, IsOkWhateverTheModelDoes) {
  const FakeEngine loading(engines::State::loading);
  EXPECT_EQ(answer_probe(get("/health"), &loading)->status, 200);
}

TEST(Probes, HaveRequestIdsLikeEveryAnswer) {
  const auto first = answer_probe(get("/health"), nullptr)->headers.find("x-amzn-RequestId");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 36u);
}

TEST(Ready, Is503UntilTheModelIsLoaded) {
  const FakeEngine loading(engines::State::loading);
  const FakeEngine failed(engines::State::failed);
  const FakeEngine ready(engines::State::ready);
  EXPECT_EQ(answer_probe(get("/ready"), &loading)->status, 503);
  EXPECT_EQ(answer_probe(get("/ready"), &failed)->status, 503);
  EXPECT_EQ(answer_probe(get("/ready"), &ready)->status, 200);
  EXPECT_EQ(answer_probe(get("/ready"), &ready)->body, R"({"status":"ready","model":"tiny"})");
}

TEST(Ready, NeedsNoModelWhereNoneIsBound) {
  EXPECT_EQ(answer_probe(get("/ready"), nullptr)->status, 200);
}

TEST(Probes, LeaveEverythingElseToBedrock) {
  EXPECT_FALSE(answer_probe(get("/foundation-models"), nullptr));
  http::Request post = get("/health");
  post.method = "POST";
  EXPECT_FALSE(answer_probe(post, nullptr));
}

}  // namespace
}  // namespace craton::server
