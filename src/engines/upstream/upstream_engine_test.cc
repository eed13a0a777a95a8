#include "engines/upstream/upstream_engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "base/log.h"
#include "http/awaitable.h"
#include "http/body_stream.h"
#include "http/server.h"

namespace craton::engines::upstream {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;

const std::string one_delta =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n";
const std::string end =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n"
    "data: [DONE]\n\n";

/// What the server under the engine's feet does.
struct Plan {
  std::atomic<int> deltas = 2;
  std::atomic<bool> hangs = false;  ///< Behind the deltas.
  std::atomic<int> status = 200;
  std::atomic<int> asked = 0;
  std::atomic<int> given = 0;  ///< Deltas that went out.
  std::atomic<int> open = 0;   ///< Streams.
};

class Deltas : public http::BodyStream {
 public:
  explicit Deltas(Plan& plan) : plan_(plan) { ++plan_.open; }
  ~Deltas() override { --plan_.open; }

  awaitable<std::optional<std::string>> next() override {
    if (given_ < plan_.deltas) {
      ++given_;
      ++plan_.given;
      co_return one_delta;
    }
    if (plan_.hangs) co_await http::sleep_for(60s);
    if (std::exchange(ended_, true)) co_return std::nullopt;
    co_return end;
  }

 private:
  Plan& plan_;
  int given_ = 0;
  bool ended_ = false;
};

http::Response page(std::string type, std::string body) {
  http::Response response;
  response.headers.add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

awaitable<http::Response> answer(Plan& plan, http::Request request) {
  if (request.target == "/health") co_return page("text/plain", "");
  if (request.target == "/v1/models") {
    co_return page("application/json", R"({"data":[{"id":"m","owned_by":"vllm"}]})");
  }
  if (request.target == "/tokenize") co_return page("application/json", R"({"count":42})");
  if (request.target == "/v1/embeddings") {
    co_return page("application/json", R"({"data":[{"index":0,"embedding":[1,2]}]})");
  }
  ++plan.asked;
  http::Response response = page("text/event-stream", "");
  response.status = plan.status;
  if (response.status == 200) response.stream = std::make_unique<Deltas>(plan);
  co_return response;
}

class UpstreamEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_level(log::Level::off);
    server_ = std::make_unique<http::Server>(
        http::ServerOptions{}, [this](http::Request request) { return answer(plan_, request); },
        [](int status, std::string_view) {
          http::Response response;
          response.status = status;
          return response;
        });
    ASSERT_TRUE(server_->start());
    make({url()});
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  void make(std::vector<std::string> replicas) {
    engine_ = make_upstream_engine(
        {.cluster = {
             .replicas = std::move(replicas), .model = {}, .api_key = {}, .idle_limit = 20s}});
    std::promise<void> loaded;
    engine_->notify_loaded([&] { loaded.set_value(); });
    loaded.get_future().wait();
    while (engine_->model() != "m") std::this_thread::sleep_for(1ms);
  }

  std::shared_ptr<Generation> ask(Limits limits = {}) {
    Conversation conversation;
    append_turn(conversation, Role::user, "hi");
    auto begun = engine_->generate(std::move(conversation), limits);
    EXPECT_TRUE(begun);
    return begun ? *begun : nullptr;
  }

  static Event next(Generation& generation) {
    while (true) {
      if (auto event = generation.try_next()) return *std::move(event);
      std::promise<void> told;
      generation.notify([&] { told.set_value(); });
      told.get_future().wait();
    }
  }

  static tl::expected<Answer, Failure> read(Generation& generation) {
    AnswerBuilder builder;
    while (!builder.complete()) builder.add(next(generation));
    return builder.take();
  }

  static void wait_until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::sleep_for(1ms);
    }
  }

  int outstanding() const { return engine_->replicas().front().outstanding; }

  Plan plan_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(UpstreamEngineTest, AnswersAsTheServerDoes) {
  const auto answer = read(*ask());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text(), "word word ");
  EXPECT_EQ(answer->usage.output_tokens, 2);
  EXPECT_EQ(engine_->stats().generated_tokens, 2u);
  EXPECT_EQ(engine_->replicas().front().requests, 1u);
  wait_until([&] { return engine_->stats().running == 0; });
}

TEST_F(UpstreamEngineTest, ReadsNoFasterThanItsCaller) {
  plan_.deltas = 1'000'000;
  const auto generation = ask();
  (void)next(*generation);
  int before = -1;
  wait_until([&] {  // until nothing moves any more
    std::this_thread::sleep_for(100ms);
    return std::exchange(before, plan_.given.load()) == plan_.given;
  });
  EXPECT_LT(plan_.given, 200'000) << "what sockets hold";
  for (int i = 0; i < 2000; ++i) (void)next(*generation);
  generation->cancel();
  wait_until([&] { return plan_.open == 0 && outstanding() == 0; });
  EXPECT_EQ(engine_->replicas().front().state, ReplicaState::ready);
}

TEST_F(UpstreamEngineTest, AnAnswerLongerThanTheQueueArrivesWhole) {
  plan_.deltas = 5000;
  const auto answer = read(*ask());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text().size(), 25'000u);
}

TEST_F(UpstreamEngineTest, ACallerThatLeavesClosesTheConnection) {
  plan_.hangs = true;
  auto generation = ask();
  (void)next(*generation);
  generation->cancel();
  wait_until([&] { return plan_.open == 0 && outstanding() == 0; });
  generation = ask();
  (void)next(*generation);
  generation.reset();  // without a word
  EXPECT_EQ(plan_.asked, 2);
}

TEST_F(UpstreamEngineTest, EndsAtItsDeadline) {
  plan_.hangs = true;
  const auto answer = read(*ask({.deadline = std::chrono::steady_clock::now() + 300ms}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, ErrorCode::model_timeout);
}

TEST_F(UpstreamEngineTest, AnEngineThatGoesEndsItsAnswers) {
  plan_.hangs = true;
  const auto generation = ask();
  (void)next(*generation);
  engine_.reset();
  const auto answer = read(*generation);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, ErrorCode::service_unavailable);
}

TEST_F(UpstreamEngineTest, AsksAnotherWhereOneIsGone) {
  make({url(), "http://127.0.0.1:1"});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(read(*ask()));
}

TEST_F(UpstreamEngineTest, DoesNotAskTwiceWhereOneFailed) {
  make({url(), "http://localhost:" + std::to_string(server_->port())});
  plan_.status = 500;
  const auto answer = read(*ask());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, ErrorCode::model_error);
  EXPECT_EQ(plan_.asked, 1);
}

TEST_F(UpstreamEngineTest, CountsTokensAndMakesVectors) {
  Conversation conversation;
  append_turn(conversation, Role::user, "hi");
  const auto counting = engine_->begin_count(conversation, {});
  ASSERT_TRUE(counting);
  std::promise<void> told;
  (*counting)->notify([&] { told.set_value(); });
  told.get_future().wait();
  EXPECT_EQ((*(*counting)->take())->tokens, 42);
  const auto embedding = engine_->embed({.items = {{.text = "a"}}}, {});
  ASSERT_TRUE(embedding);
  std::promise<void> made;
  (*embedding)->notify([&] { made.set_value(); });
  made.get_future().wait();
  EXPECT_EQ((*(*embedding)->take())->vectors[0].values, (std::vector<float>{1, 2}));
  wait_until([&] { return outstanding() == 0; });
}

}  // namespace
}  // namespace craton::engines::upstream
