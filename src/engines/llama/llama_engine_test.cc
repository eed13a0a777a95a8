#include "engines/llama/llama_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <thread>

#include "engines/llama/stop_matcher.h"
#include "engines/llama/test_models.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A flag that another thread raises.
class Signal {
 public:
  std::function<void()> raiser() {
    return [state = state_] {
      std::lock_guard lock(state->mutex);
      state->raised = true;
      state->changed.notify_all();
    };
  }
  bool wait(std::chrono::milliseconds limit = 120s) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [this] { return state_->raised; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool raised = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

std::optional<Event> next_event(Generation& generation) {
  if (auto event = generation.try_next()) return event;
  Signal signal;
  generation.notify(signal.raiser());
  if (!signal.wait()) throw std::runtime_error("no event within two minutes");
  return generation.try_next();
}

tl::expected<Answer, Failure> answer_of(Generation& generation) {
  AnswerBuilder builder;
  while (!builder.complete()) {
    if (auto event = next_event(generation)) builder.add(std::move(*event));
  }
  return builder.take();
}

Conversation asked(std::string text) {
  Conversation conversation;
  append_turn(conversation, Role::user, std::move(text));
  conversation.sampling.temperature = 0;
  conversation.sampling.tokens_max = 48;
  return conversation;
}

class LlamaEngineTest : public testing::Test {
 protected:
  void start(const TestModel& model, LlamaOptions options = {}) {
    options.path = path_of(model);
    start(options);
  }

  void start(const LlamaOptions& options) {
    engine = make_llama_engine(options);
    Signal loaded;
    engine->notify_loaded(loaded.raiser());
    ASSERT_TRUE(loaded.wait());
  }

  void start_ready(const TestModel& model, LlamaOptions options = {}) {
    start(model, std::move(options));
    ASSERT_EQ(engine->status().state, State::ready) << engine->status().reason;
  }

  std::shared_ptr<Generation> generate(Conversation conversation, Limits limits = {}) {
    auto generation = engine->generate(std::move(conversation), limits);
    if (!generation) throw std::runtime_error(generation.error().message);
    return *generation;
  }

  Answer answer(Conversation conversation, Limits limits = {}) {
    auto got = answer_of(*generate(std::move(conversation), limits));
    if (!got) throw std::runtime_error(got.error().error.message);
    return *std::move(got);
  }

  Failure failure(Conversation conversation, Limits limits = {}) {
    auto got = answer_of(*generate(std::move(conversation), limits));
    if (got) throw std::runtime_error("an answer came, not a failure: " + got->text);
    return got.error();
  }

  std::unique_ptr<Engine> engine;
};

TEST_F(LlamaEngineTest, KnowsTheCapitalOfKorea) {
  start_ready(qwen);
  const Answer got = answer(asked("대한민국의 수도는?"));
  EXPECT_THAT(got.text, HasSubstr("서울"));
  EXPECT_EQ(got.stop_reason, StopReason::end_turn);
  EXPECT_GT(got.usage.input_tokens, 10);
  EXPECT_GT(got.usage.output_tokens, 3);
}

TEST_F(LlamaEngineTest, NamesItselfAndItsModel) {
  start_ready(smollm);
  EXPECT_EQ(engine->kind(), "llama");
  EXPECT_EQ(engine->model(), std::filesystem::path(path_of(smollm)).stem().string());
}

}  // namespace
}  // namespace craton::engines::llama
