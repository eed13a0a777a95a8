// What the upstream engine adds to a request and to a token: an answer through it beside the same
// bytes through the HTTP client alone, from a server that costs nothing, in a process of its own.
//
// CPU is this process's: the engine's thread and the reader's.
//
// usage: craton_bench_upstream [ROUNDS]
//        craton_bench_upstream serve      only the server: prints its port, and stays
// Prints one JSON object; medians over rounds.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "engines/upstream/upstream_engine.h"
#include "http/body_stream.h"
#include "http/client.h"
#include "http/server.h"

namespace craton {
namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

const std::string delta =
    "data: "
    "{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1,"
    "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,"
    "\"finish_reason\":null}]}\n\n";
const std::string end =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n"
    "data: [DONE]\n\n";

class Deltas : public http::BodyStream {
 public:
  explicit Deltas(int count) : left_(count) {}
  awaitable<std::optional<std::string>> next() override {
    if (left_-- > 0) co_return delta;
    if (std::exchange(ended_, true)) co_return std::nullopt;
    co_return end;
  }

 private:
  int left_;
  bool ended_ = false;
};

awaitable<http::Response> answer(http::Request request) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  if (request.target == "/v1/models") response.body = R"({"data":[{"id":"m","owned_by":"x"}]})";
  if (request.method == "POST") {
    const std::size_t at = request.body.find("\"max_tokens\":");
    response.headers = {};
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = std::make_unique<Deltas>(std::atoi(request.body.c_str() + at + 13));
  }
  co_return response;
}

/// Serves until its parent goes.
[[noreturn]] void serve(int told) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  http::ServerOptions options;
  options.threads = 1;
  http::Server server(
      options, [](http::Request request) { return answer(std::move(request)); },
      [](int status, std::string_view) {
        http::Response response;
        response.status = status;
        return response;
      });
  if (!server.start()) _exit(1);
  const std::string port = std::to_string(server.port()) + '\n';
  if (write(told, port.data(), port.size()) < 0) _exit(1);
  while (true) pause();
}

double cpu() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

struct Cost {
  double wall_us, cpu_us;
};

template <class Work>
Cost cost_of(int times, const Work& work) {
  const auto began = steady_clock::now();
  const double before = cpu();
  for (int i = 0; i < times; ++i) work();
  const std::chrono::duration<double, std::micro> took = steady_clock::now() - began;
  return {took.count() / times, (cpu() - before) / times};
}

void by_client(http::Client& client, const std::string& url, int tokens) {
  std::promise<void> told;
  http::ClientRequest request{.method = "POST", .url = url + "/v1/chat/completions"};
  request.headers.add("Content-Type", "application/json");
  request.body = "{\"max_tokens\":" + std::to_string(tokens) + "}";
  client.send(std::move(request), {.on_body = [](std::string_view) { return true; },
                                   .on_end = [&](http::TransferEnd) { told.set_value(); }});
  told.get_future().wait();
}

void by_engine(engines::Engine& engine, int tokens) {
  Conversation conversation;
  append_turn(conversation, Role::user, "hi");
  conversation.sampling.tokens_max = tokens;
  const auto generation = engine.generate(std::move(conversation), {});
  AnswerBuilder builder;
  while (!builder.complete()) {
    if (auto event = (*generation)->try_next()) {
      builder.add(*std::move(event));
      continue;
    }
    std::promise<void> told;
    (*generation)->notify([&] { told.set_value(); });
    told.get_future().wait();
  }
  if (!builder.take()) std::abort();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(const std::string& url, int rounds) {
  http::Client client;
  const auto engine = engines::upstream::make_upstream_engine({.cluster = {.replicas = {url}}});
  while (engine->model() != "m") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  constexpr int requests = 500, streams = 5, tokens = 5000;
  std::vector<double> wall, cpu_request, cpu_token, token_wall;
  for (int i = 0; i < rounds; ++i) {
    const Cost one = cost_of(requests, [&] { by_client(client, url, 1); });
    const Cost other = cost_of(requests, [&] { by_engine(*engine, 1); });
    const Cost bytes = cost_of(streams, [&] { by_client(client, url, tokens); });
    const Cost events = cost_of(streams, [&] { by_engine(*engine, tokens); });
    wall.push_back(other.wall_us - one.wall_us);
    cpu_request.push_back(other.cpu_us);
    cpu_token.push_back((events.cpu_us - bytes.cpu_us) / tokens);
    token_wall.push_back((events.wall_us - bytes.wall_us) / tokens);
  }
  std::printf(
      "{\"added_us_a_request\":%.1f,\"cpu_us_a_request\":%.1f,\"added_us_a_token\":%.2f,"
      "\"cpu_us_a_token\":%.2f,\"rounds\":%d}\n",
      median(wall), median(cpu_request), median(token_wall), median(cpu_token), rounds);
}

int run(int rounds) {
  int told[2];
  if (pipe(told) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) serve(told[1]);
  log::set_level(log::Level::off);
  char port[16] = {};
  if (read(told[0], port, sizeof port - 1) <= 0) return 1;
  measure("http://127.0.0.1:" + std::to_string(std::atoi(port)), rounds);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "serve") {
    craton::log::set_level(craton::log::Level::off);
    craton::serve(STDOUT_FILENO);
  }
  return craton::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 9);
}
