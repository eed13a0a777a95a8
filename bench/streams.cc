// What a streamed token costs between the engine and the wire, and how many streams there are in a
// second: InvokeModelWithResponseStream and ConverseStream of an engine that costs nothing.
//
//   engine's thread ── events ──► service, families, event stream, HTTP ── loopback ──► a client
//
// CPU a token is the process's less what the engine's and the clients' threads used: the server's
// own. Paced tokens come one by one, each its own wake-up and write; flooded ones as fast as they
// go.
//
// usage: craton_bench_streams [ROUNDS]
// Prints one JSON object; medians over rounds.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "http/raw_client.h"
#include "http/server.h"
#include "service/errors.h"
#include "service/service.h"

namespace craton {
namespace {

using std::chrono::steady_clock;

double cpu_seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// CPU seconds that threads other than the server's have used.
std::atomic<double> others_cpu = 0;

void add_own_cpu(double since) {
  const double used = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - since;
  for (double before = others_cpu; !others_cpu.compare_exchange_weak(before, before + used);) {
  }
}

/// Answers with as many tokens as are asked for, one each `pace`; a thread an answer.
class TokenMill : public engines::Engine {
 public:
  explicit TokenMill(std::chrono::microseconds pace) : pace_(pace) {}
  ~TokenMill() override {
    for (std::thread& thread : threads_) thread.join();
  }

  std::string_view kind() const override { return "mill"; }
  std::string_view model() const override { return "mill"; }
  engines::Status status() const override { return {engines::State::ready, ""}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Result<int> count_tokens(const Conversation&) override { return 1; }

  Result<std::shared_ptr<engines::Generation>> generate(Conversation conversation,
                                                        const engines::Limits&) override {
    const int tokens = conversation.sampling.tokens_max.value_or(1);
    auto room = std::make_shared<Room>();
    auto generation = std::make_shared<engines::Generation>([room] { room->tell(); });
    std::lock_guard lock(mutex_);
    threads_.emplace_back([=, this] { grind(*generation, *room, tokens); });
    return generation;
  }

 private:
  /// Where the engine's thread sleeps until the reader has made room.
  struct Room {
    void tell() {
      std::lock_guard lock(mutex);
      there = true;
      changed.notify_one();
    }
    void wait() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return std::exchange(there, false); });
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool there = false;
  };

  void grind(engines::Generation& generation, Room& room, int tokens) const {
    const double began = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    offer(generation, room, MessageStart{{.input_tokens = 9}, {}});
    for (int token = 1; token <= tokens; ++token) {
      if (pace_.count() > 0) std::this_thread::sleep_for(pace_);
      offer(generation, room, TextDelta{" word", token, {}});
    }
    offer(generation, room, MessageStop{StopReason::max_tokens, {}});
    offer(generation, room, Usage{.input_tokens = 9, .output_tokens = tokens});
    add_own_cpu(began);
  }

  static void offer(engines::Generation& generation, Room& room, const Event& event) {
    while (!generation.offer(event) && !generation.cancelled()) room.wait();
  }

  const std::chrono::microseconds pace_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

struct Form {
  const char* name;
  std::string target;
  std::string (*body)(int tokens);
};

const Form forms[] = {
    {"invoke", "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream",
     [](int tokens) {
       return R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":)" +
              std::to_string(tokens) + R"(,"messages":[{"role":"user","content":"Count."}]})";
     }},
    {"converse", "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
     [](int tokens) {
       return R"({"messages":[{"role":"user","content":[{"text":"Count."}]}],"inferenceConfig":{"maxTokens":)" +
              std::to_string(tokens) + "}}";
     }},
};

/// The server over one engine, for the length of a measurement.
class Served {
 public:
  explicit Served(std::chrono::microseconds pace)
      : service_({}, std::make_shared<catalog::Catalog>(catalog::View::all),
                 service::always(std::make_shared<TokenMill>(pace))),
        server_(
            {.threads = 1},
            [this](http::Request request) { return service_.handle(std::move(request)); },
            service::refusal_response) {
    if (!server_.start()) std::abort();
  }
  ~Served() { server_.stop(); }

  /// Streams one answer on `client`; microseconds to its first chunk.
  static double stream(http::RawClient& client, const Form& form, int tokens) {
    const std::string body = form.body(tokens);
    const auto began = steady_clock::now();
    client.send("POST " + form.target +
                " HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n"
                "Content-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string head = client.read_head();
    if (!head.starts_with("HTTP/1.1 200")) {
      std::fprintf(stderr, "craton_bench_streams: %s\n", head.c_str());
      std::exit(1);
    }
    auto chunk = client.read_chunk();
    const double first =
        std::chrono::duration<double, std::micro>(steady_clock::now() - began).count();
    while (chunk && !chunk->empty()) chunk = client.read_chunk();
    return first;
  }

  std::uint16_t port() const { return server_.port(); }

 private:
  service::Service service_;
  http::Server server_;
};

struct Cost {
  double cpu_us;  ///< The server's, a token.
  double tokens_a_second;
};

Cost token_cost(const Form& form, std::chrono::microseconds pace, int tokens) {
  others_cpu = 0;
  const double before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto began = steady_clock::now();
  double seconds = 0;
  {
    Served served(pace);
    std::thread reader([&] {
      const double own = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
      http::RawClient client(served.port());
      Served::stream(client, form, tokens);
      add_own_cpu(own);
    });
    reader.join();
    seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
  }
  const double used = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - before - others_cpu;
  return {used / tokens * 1e6, tokens / seconds};
}

/// Streams of eight tokens a second, on four connections; and the median time to their first event.
std::pair<double, double> stream_rate(const Form& form) {
  constexpr int connections = 4;
  constexpr int streams = 250;
  Served served(std::chrono::microseconds(0));
  std::vector<std::vector<double>> firsts(connections);
  const auto began = steady_clock::now();
  std::vector<std::thread> readers;
  for (auto& own : firsts) {
    readers.emplace_back([&] {
      http::RawClient client(served.port());
      for (int i = 0; i < streams; ++i) own.push_back(Served::stream(client, form, 8));
    });
  }
  for (std::thread& reader : readers) reader.join();
  const double seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
  std::vector<double> all;
  for (const auto& own : firsts) all.insert(all.end(), own.begin(), own.end());
  return {connections * streams / seconds, median(all)};
}

int run(int rounds) {
  log::set_level(log::Level::error);
  std::printf("{\"rounds\":%d", rounds);
  for (const Form& form : forms) {
    std::vector<double> paced, flooded, rate, streams, first;
    for (int round = 0; round < rounds; ++round) {
      paced.push_back(token_cost(form, std::chrono::microseconds(150), 4'000).cpu_us);
      const Cost flood = token_cost(form, std::chrono::microseconds(0), 50'000);
      flooded.push_back(flood.cpu_us);
      rate.push_back(flood.tokens_a_second);
      const auto [streams_a_second, first_us] = stream_rate(form);
      streams.push_back(streams_a_second);
      first.push_back(first_us);
    }
    std::printf(
        ",\"%s\":{\"paced_token_cpu_us\":%.2f,\"flooded_token_cpu_us\":%.2f,"
        "\"tokens_per_s\":%.0f,\"streams_per_s\":%.0f,\"first_event_us\":%.0f}",
        form.name, median(paced), median(flooded), median(rate), median(streams), median(first));
  }
  std::printf("}\n");
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) { return craton::run(argc > 1 ? std::atoi(argv[1]) : 5); }
