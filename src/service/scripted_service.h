// For tests: a Service whose engine answers with a script.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "http/body_stream.h"
#include "http/run_to_end.h"
#include "service/service.h"

namespace craton::service {

inline constexpr std::string_view haiku = "anthropic.claude-3-haiku-20240307-v1%3A0";

/// Answers every conversation with the same events, from a thread of its own.
class ScriptedEngine : public engines::Engine {
 public:
  explicit ScriptedEngine(std::vector<Event> script) : script_(std::move(script)) {}
  ~ScriptedEngine() override {
    for (std::thread& thread : threads_) thread.join();
  }

  std::string_view kind() const override { return "scripted"; }
  std::string_view model() const override { return "script"; }
  engines::Status status() const override { return {state, ""}; }
  void notify_loaded(std::function<void()> wake) override {
    if (state != engines::State::loading) wake();
  }
  Result<std::shared_ptr<engines::Generation>> generate(Conversation conversation,
                                                        const engines::Limits&) override {
    if (refusal) return *refusal;
    asked = std::move(conversation);
    auto generation = std::make_shared<engines::Generation>();
    threads_.emplace_back([generation, script = script_] {
      for (const Event& event : script) {
        while (!generation->offer(event) && !generation->cancelled()) std::this_thread::yield();
      }
    });
    return generation;
  }
  Result<int> count_tokens(const Conversation& conversation) override {
    asked = conversation;
    return 12;
  }
  engines::Capabilities capabilities() const override { return able; }

  engines::State state = engines::State::ready;
  std::optional<Error> refusal;
  engines::Capabilities able;
  Conversation asked;

 private:
  std::vector<Event> script_;
  std::vector<std::thread> threads_;
};

inline std::vector<Event> saying(std::string text) {
  return {MessageStart{}, TextDelta{std::move(text)}, MessageStop{StopReason::end_turn, {}},
          Usage{.input_tokens = 12, .output_tokens = 3}};
}

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { log::set_level(log::Level::off); }

  void bind(std::vector<Event> script) {
    engine = std::make_shared<ScriptedEngine>(std::move(script));
  }

  http::Response send(std::string method, std::string target, std::string body = {},
                      http::Headers headers = {}) {
    const Service service(options, catalogue, always(engine));
    http::Request request{.method = std::move(method),
                          .target = std::move(target),
                          .headers = std::move(headers),
                          .body = std::move(body),
                          .peer = "127.0.0.1"};
    return http::run_to_end(const_cast<Service&>(service).handle(std::move(request)));
  }

  /// All bytes of a streamed answer.
  static std::string body_of(http::Response& response) {
    std::string bytes;
    while (std::optional<std::string> piece = http::run_to_end(response.stream->next())) {
      bytes += *piece;
    }
    return bytes;
  }

  /// The whole body of an answer that must be a stream.
  std::string stream(std::string target, std::string body) {
    http::Response response = send("POST", std::move(target), std::move(body));
    EXPECT_TRUE(response.stream) << response.status << response.body;
    return response.stream ? body_of(response) : std::string();
  }

  http::Response invoke(std::string_view model, std::string body) {
    return send("POST", "/model/" + std::string(model) + "/invoke", std::move(body));
  }

  ServiceOptions options{.model_wait = Milliseconds(20)};
  std::shared_ptr<const catalog::Catalog> catalogue =
      std::make_shared<catalog::Catalog>(catalog::View::all);
  std::shared_ptr<ScriptedEngine> engine;
};

}  // namespace craton::service
