// What Craton adds over the bare engine: the same prompt, the same engine, the same process, asked
// once through the engine's interface and once through HTTP, in turns.
//
// usage: craton_bench_overhead MODEL.gguf [ROUNDS]
// Prints one JSON object: medians in microseconds for answers of 1 and of 33 tokens, each way.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "server/bedrock_server.h"

namespace craton {
namespace {

constexpr std::string_view prompt = "Tell a very long story about a fisherman.";

double microseconds_of(const std::function<void()>& work) {
  const auto started = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "craton_bench_overhead: %s\n", what.c_str());
  std::exit(1);
}

/// Blocks until `subscribe`'s callback is called.
template <class Subscribe>
void wait_on(Subscribe subscribe) {
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  subscribe([&] {
    std::lock_guard lock(mutex);
    woken = true;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return woken; });
}

Conversation conversation_of(int tokens) {
  Conversation conversation;
  append_turn(conversation, Role::user, std::string(prompt));
  conversation.sampling.tokens_max = tokens;
  conversation.sampling.temperature = 0;
  return conversation;
}

void ask_engine(engines::Engine& engine, int tokens) {
  auto generation = engine.generate(conversation_of(tokens), {});
  if (!generation) die(generation.error().message);
  AnswerBuilder builder;
  while (!builder.complete()) {
    if (auto event = (*generation)->try_next()) {
      builder.add(std::move(*event));
    } else {
      wait_on([&](auto wake) { (*generation)->notify(wake); });
    }
  }
  const auto answer = builder.take();
  if (!answer || answer->usage.output_tokens != tokens) die("the engine stopped early");
}

/// One keep-alive connection.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      die("connect");
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { ::close(socket_); }

  void ask(int tokens) {
    const std::string body =
        "{\"anthropic_version\":\"bedrock-2023-05-31\",\"temperature\":0,\"max_tokens\":" +
        std::to_string(tokens) + ",\"messages\":[{\"role\":\"user\",\"content\":\"" +
        std::string(prompt) + "\"}]}";
    const std::string request =
        "POST /model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke HTTP/1.1\r\nHost: "
        "localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    if (::send(socket_, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size()))
      die("send");
    std::string answer;
    char buffer[4096];
    while (answer.find("\"output_tokens\":" + std::to_string(tokens) + "}}") == std::string::npos) {
      const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
      if (count <= 0) die("the server closed: " + answer);
      answer.append(buffer, static_cast<std::size_t>(count));
      if (answer.find("HTTP/1.1 200") != 0) die(answer);
    }
  }

 private:
  int socket_;
};

int run(const std::string& model, int rounds) {
  log::set_level(log::Level::error);
  server::Config config;
  config.model.file = model;
  config.port = 0;
  config.log_level = log::Level::error;
  const auto models = server::ServedModels::make(config);
  if (!models) die(models.error().message);
  const Conversation nothing;
  const std::shared_ptr<engines::Engine> engine =
      (*models)->engine_for({.conversation = nothing}).engine;
  wait_on([&](auto wake) { engine->notify_loaded(wake); });
  const auto server = server::BedrockServer::start(config, *models);
  if (!server) die(server.error().message);
  Connection connection((*server)->port());

  constexpr int lengths[] = {1, 33};
  double medians[2][2];
  for (int row = 0; row < 2; ++row) {
    std::vector<double> bare, served;
    for (int round = 0; round < rounds + 2; ++round) {
      const double engine_us = microseconds_of([&] { ask_engine(*engine, lengths[row]); });
      const double http_us = microseconds_of([&] { connection.ask(lengths[row]); });
      if (round < 2) continue;  // warm-up
      bare.push_back(engine_us);
      served.push_back(http_us);
    }
    medians[row][0] = median(bare);
    medians[row][1] = median(served);
  }
  const double request_us = medians[0][1] - medians[0][0];
  const double token_us = (medians[1][1] - medians[1][0] - request_us) / (lengths[1] - lengths[0]);
  std::printf(
      "{\"rounds\":%d,\"engine_1_token_us\":%.0f,\"served_1_token_us\":%.0f,"
      "\"engine_33_tokens_us\":%.0f,\"served_33_tokens_us\":%.0f,"
      "\"added_per_request_us\":%.0f,\"added_per_token_us\":%.1f}\n",
      rounds, medians[0][0], medians[0][1], medians[1][0], medians[1][1], request_us, token_us);
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: craton_bench_overhead MODEL.gguf [ROUNDS]\n", stderr);
    return 2;
  }
  return craton::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 40);
}
