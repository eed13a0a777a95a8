// For tests: an engine that says what it is told to, and a service over it without sockets.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "engines/engine.h"
#include "http/body_stream.h"
#include "service/service.h"

namespace craton::service {

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
    return 1;
  }

  engines::Capabilities capabilities() const override { return can; }

  engines::State state = engines::State::ready;
  engines::Capabilities can;
  std::optional<Error> refusal;
  Conversation asked;

 private:
  std::vector<Event> script_;
  std::vector<std::thread> threads_;
};

inline std::vector<Event> saying(std::string text) {
  return {MessageStart{}, TextDelta{std::move(text)}, MessageStop{StopReason::end_turn, {}},
          Usage{.input_tokens = 12, .output_tokens = 3}};
}

/// The whole of a streamed body.
inline std::string read_all(http::BodyStream& body) {
  std::string all;
  boost::asio::io_context io;
  const auto reading = [](http::BodyStream& from,
                          std::string& into) -> boost::asio::awaitable<void> {
    while (true) {
      std::optional<std::string> bytes = co_await from.next();
      if (!bytes) co_return;
      into += *bytes;
    }
  };
  boost::asio::co_spawn(io, reading(body, all),
                        [](const std::exception_ptr& error) { ASSERT_FALSE(error); });
  io.run();
  return all;
}

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { log::set_level(log::Level::off); }

  void bind(std::vector<Event> script) {
    engine = std::make_shared<ScriptedEngine>(std::move(script));
  }

  http::Response send(std::string method, std::string target, std::string body = {},
                      http::Headers headers = {}) {
    ServiceOptions options;
    options.model_wait = Milliseconds(20);
    const Service service(options, catalogue, engine);
    http::Request request{.method = std::move(method),
                          .target = std::move(target),
                          .headers = std::move(headers),
                          .body = std::move(body),
                          .peer = "127.0.0.1"};
    std::optional<http::Response> response;
    boost::asio::io_context io;
    boost::asio::co_spawn(io, const_cast<Service&>(service).handle(std::move(request)),
                          [&](std::exception_ptr error, http::Response made) {
                            ASSERT_FALSE(error);
                            response = std::move(made);
                          });
    io.run();
    return *std::move(response);
  }

  /// A streamed answer's whole body.
  std::string stream(std::string target, std::string body) {
    const http::Response response = send("POST", std::move(target), std::move(body));
    EXPECT_EQ(response.status, 200) << response.body;
    return response.stream ? read_all(*response.stream) : std::string();
  }

  http::Response invoke(std::string_view model, std::string body) {
    return send("POST", "/model/" + std::string(model) + "/invoke", std::move(body));
  }

  std::shared_ptr<const catalog::Catalog> catalogue =
      std::make_shared<catalog::Catalog>(catalog::View::all);
  std::shared_ptr<ScriptedEngine> engine;
};

}  // namespace craton::service
