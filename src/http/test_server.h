// For tests: a server whose handlers wait, stream, throw and count as their target says.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "http/awaitable.h"
#include "http/body_stream.h"
#include "http/raw_client.h"
#include "http/server.h"

namespace craton::http {

using boost::asio::awaitable;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// The wake-up of a handler that waits, as an engine would hold it.
class Bell {
 public:
  void wait(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wakes_.push_back(std::move(wake));
  }
  void ring() {
    const std::lock_guard lock(mutex_);
    for (const auto& wake : wakes_) wake();
    wakes_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> wakes_;
};

/// What handlers tell the test.
struct Record {
  std::atomic<int> started = 0;
  std::atomic<int> finished = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<int> pieces = 0;   // that streams have given
  std::atomic<int> streams = 0;  // that exist
  Bell bell;
  std::shared_ptr<const std::string> large =
      std::make_shared<const std::string>(std::string(8'000'000, 'L'));
};

inline Response text(std::string body) {
  Response response;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

inline awaitable<Response> wait_for_bell(Record& record) {
  auto subscribe = [&record](std::function<void()> wake) {
    record.bell.wait(std::move(wake));
    ++record.started;  // from here on, a ring is heard
  };
  try {
    co_await wait_until(std::move(subscribe), std::nullopt);
  } catch (...) {
    ++record.cancelled;
    throw;
  }
  ++record.finished;
  co_return text("rung");
}

inline awaitable<Response> wait_for_bell_stubbornly(Record& record) {
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  Response response = co_await wait_for_bell(record);
  co_return response;
}

inline awaitable<Response> after_a_while() {
  co_await sleep_for(20ms);
  co_return text("slept");
}

struct StreamPlan {
  int pieces = 3;               ///< Of which
  std::size_t piece_bytes = 0;  ///< each has so many bytes; 0: "piece N;"
  int bells = 0;                ///< So many are given first thing, and only when the bell rings.
  bool throws = false;          ///< In place of its end.
};

class TestStream : public BodyStream {
 public:
  TestStream(Record& record, StreamPlan plan) : record_(record), plan_(plan) { ++record_.streams; }
  ~TestStream() override { --record_.streams; }

  awaitable<std::optional<std::string>> next() override {
    const int number = given_++;
    if (number < plan_.bells) co_await wait_for_bell(record_);
    if (number == plan_.pieces && plan_.throws) throw std::runtime_error("a bug");
    if (number == plan_.pieces) co_return std::nullopt;
    ++record_.pieces;
    co_return plan_.piece_bytes > 0 ? std::string(plan_.piece_bytes, 'p')
                                    : "piece " + std::to_string(number) + ";";
  }

 private:
  Record& record_;
  StreamPlan plan_;
  int given_ = 0;
};

struct StreamPath {
  std::string_view target;
  StreamPlan plan;
};
inline constexpr StreamPath stream_paths[] = {
    {"/stream", {}},
    {"/stream-bells", {.bells = 4}},
    {"/stream-late", {.bells = 1}},
    {"/stream-long", {.pieces = 100'000, .piece_bytes = 10'000}},
    {"/stream-throw", {.throws = true}},
    {"/stream-empty", {.pieces = 0}},
};

inline const StreamPath* stream_path(std::string_view target) {
  const auto* row = std::find_if(std::begin(stream_paths), std::end(stream_paths),
                                 [&](const StreamPath& path) { return path.target == target; });
  return row == std::end(stream_paths) ? nullptr : row;
}

inline awaitable<Response> answer(Record& record, Request request) {
  if (const StreamPath* path = stream_path(request.target)) {
    Response response;
    response.stream = std::make_unique<TestStream>(record, path->plan);
    co_return response;
  }
  if (request.target == "/wait") {
    Response response = co_await wait_for_bell(record);
    co_return response;
  }
  if (request.target == "/stubborn") {
    Response response = co_await wait_for_bell_stubbornly(record);
    co_return response;
  }
  if (request.target == "/sleep") {
    Response response = co_await after_a_while();
    co_return response;
  }
  if (request.target == "/throw") throw std::runtime_error("a bug");
  if (request.target == "/no-content") {
    Response response;
    response.status = 204;
    co_return response;
  }
  if (request.target == "/large") {
    Response response;
    response.shared_body = record.large;
    co_return response;
  }
  if (request.target == "/headers") {
    std::string lines;
    for (const Header& field : request.headers) lines += field.name + ": " + field.value + "\n";
    co_return text(std::move(lines));
  }
  if (request.target == "/size") co_return text(std::to_string(request.body.size()));
  co_return text(request.method + " " + request.target + " " + request.body);
}

inline Response refusal(int status, std::string_view reason) {
  Response response = text(std::string(reason));
  response.status = status;
  return response;
}

inline ServerOptions quick() {
  ServerOptions options;
  options.header_timeout = options.body_timeout = options.write_timeout = 200ms;
  options.idle_timeout = 400ms;
  return options;
}

class ServerTest : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::off); }

  void start(ServerOptions options = {}) {
    server_.emplace(
        options, [this](Request request) { return answer(record_, std::move(request)); }, refusal);
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  RawClient connect() { return RawClient(server_->port()); }

  RawAnswer ask(std::string_view bytes) {
    RawClient client(server_->port());
    client.send(bytes);
    return client.read_answer();
  }

  /// True as soon as `condition` holds; false when it does not within 10 s.
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto limit = steady_clock::now() + 10s;
    while (steady_clock::now() < limit) {
      if (condition()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return condition();
  }

  Record record_;
  std::optional<Server> server_;  // last: its threads end before what they use
};

}  // namespace craton::http
