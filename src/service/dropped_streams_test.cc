// Ten thousand streams, opened over real sockets and dropped at random points, leave nothing
// behind: no answer that still runs, no file descriptor, no memory.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "http/raw_client.h"
#include "http/server.h"
#include "service/errors.h"
#include "service/service.h"

namespace craton::service {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Answers without end: one thread gives every answer that is not cancelled its next word.
class EndlessEngine : public engines::Engine {
 public:
  ~EndlessEngine() override {
    stop_ = true;
    talking_.join();
  }

  std::string_view kind() const override { return "endless"; }
  std::string_view model() const override { return "endless"; }
  engines::Status status() const override { return {engines::State::ready, ""}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Result<int> count_tokens(const Conversation&) override { return 1; }

  Result<std::shared_ptr<engines::Generation>> generate(Conversation,
                                                        const engines::Limits&) override {
    auto generation = std::make_shared<engines::Generation>();
    generation->offer(MessageStart{{.input_tokens = 3}, {}});
    std::lock_guard lock(mutex_);
    running_.push_back(generation);
    ++begun_;
    return generation;
  }

  std::size_t running() {
    std::lock_guard lock(mutex_);
    return running_.size();
  }
  int begun() const { return begun_; }

 private:
  void talk() {
    while (!stop_) {
      {
        std::lock_guard lock(mutex_);
        std::erase_if(running_, [](const auto& generation) { return generation->cancelled(); });
        for (const auto& generation : running_) generation->offer(TextDelta{"word ", 1, {}});
      }
      std::this_thread::sleep_for(200us);
    }
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<engines::Generation>> running_;
  std::atomic<int> begun_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread talking_{[this] { talk(); }};
};

// Sanitizers keep freed memory for themselves.
#if defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages >> pages;
  return pages * 4;
}

const std::string request = [] {
  const std::string body = R"({"prompt":"Count.","max_gen_len":2048})";
  return "POST /model/meta.llama3-8b-instruct-v1:0/invoke-with-response-stream HTTP/1.1\r\n"
         "Host: craton\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}();

/// Sends a request, or a part of one, reads a part of its answer and is gone.
void open_and_drop(std::uint16_t port, std::minstd_rand& dice) {
  http::RawClient client(port);
  ASSERT_TRUE(client.connected());
  const bool whole = dice() % 10 != 0;
  client.send(
      std::string_view(request).substr(0, whole ? request.size() : dice() % request.size()));
  if (whole && dice() % 4 != 0) {
    client.read_head();
    for (auto chunks = dice() % 4; chunks-- > 0;) client.read_chunk();
  }
  if (dice() % 3 == 0) client.reset();
}

void open_and_drop_many(std::uint16_t port, int count) {
  constexpr int threads = 4;
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t) {
    callers.emplace_back([=] {
      std::minstd_rand dice(static_cast<unsigned>(t + 1));
      for (int i = 0; i < count / threads; ++i) open_and_drop(port, dice);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

template <class Condition>
bool soon(Condition condition) {
  for (const auto limit = steady_clock::now() + 20s; steady_clock::now() < limit;) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return condition();
}

TEST(DroppedStreams, LeaveNothingBehind) {
  log::set_level(log::Level::off);
  const auto engine = std::make_shared<EndlessEngine>();
  Service service({}, std::make_shared<catalog::Catalog>(catalog::View::all), always(engine));
  http::Server server(
      {.threads = 2}, [&](http::Request asked) { return service.handle(std::move(asked)); },
      refusal_response);
  ASSERT_TRUE(server.start());

  open_and_drop_many(server.port(), 2000);  // fills pools and caches
  ASSERT_TRUE(soon([&] { return engine->running() == 0; })) << engine->running();
  const std::size_t descriptors = open_descriptors();
  const std::size_t memory = resident_kib();

  open_and_drop_many(server.port(), 8000);
  EXPECT_TRUE(soon([&] { return engine->running() == 0; })) << engine->running() << " still run";
  EXPECT_TRUE(soon([&] { return open_descriptors() <= descriptors; })) << open_descriptors();
  EXPECT_GT(engine->begun(), 5000);
  if (!sanitized) {
    EXPECT_LT(resident_kib(), memory + 4096);
  }
  server.stop();
}

}  // namespace
}  // namespace craton::service
