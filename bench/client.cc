// What the client library costs: a call beside the same request by libcurl alone, and the events of
// a stream. Both ask one server in this process, which answers with the same bytes each time.
//
// usage: craton_bench_client [TURNS]
#include "craton/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <future>
#include <string>
#include <vector>

#include "base/log.h"
#include "event_stream/bedrock_events.h"
#include "http/body_stream.h"
#include "http/client.h"
#include "http/server.h"

namespace craton {
namespace {

constexpr int calls = 3000;
constexpr int events = 200'000;
constexpr const char* model = "anthropic.claude-3-haiku-20240307-v1:0";
constexpr std::string_view reply =
    R"({"metrics":{"latencyMs":738},"output":{"message":{"content":[{"text":"Seoul."}],)"
    R"("role":"assistant"}},"stopReason":"end_turn",)"
    R"("usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14}})";

std::string stream_bytes() {
  std::string bytes;
  (void)event_stream::append_event("messageStart", R"({"role":"assistant"})", bytes);
  for (int i = 0; i < events; ++i) {
    (void)event_stream::append_event(
        "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"token "},"p":"abcdefgh"})",
        bytes);
  }
  (void)event_stream::append_event("messageStop", R"({"stopReason":"end_turn"})", bytes);
  (void)event_stream::append_event(
      "metadata", R"({"usage":{"inputTokens":9,"outputTokens":5,"totalTokens":14}})", bytes);
  return bytes;
}

boost::asio::awaitable<http::Response> answer(std::shared_ptr<const std::string> stream,
                                              http::Request request) {
  http::Response response;
  if (request.target.ends_with("converse-stream")) {
    response.headers.add("Content-Type", "application/vnd.amazon.eventstream");
    response.shared_body = std::move(stream);
  } else {
    response.headers.add("Content-Type", "application/json");
    response.body = reply;
  }
  co_return response;
}

struct Took {
  double wall_us;
  double cpu_us;  ///< Of all threads, the server's too.
};

template <class Work>
Took measured(int count, Work work) {
  const auto wall = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  work();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - wall;
  const double cpu_us = 1e6 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  return {took.count() / count, cpu_us / count};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Took bare_calls(const std::string& url) {
  http::Client bare;
  return measured(calls, [&] {
    for (int i = 0; i < calls; ++i) {
      std::promise<void> done;
      http::ClientRequest request{
          .method = "POST",
          .url = url + "/model/m/converse",
          .body = R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})"};
      bare.send(std::move(request), {.on_end = [&](const http::TransferEnd& end) {
                  if (end.fault != http::TransferFault::none) {
                    fmt::print(stderr, "{}\n", end.reason);
                    std::abort();
                  }
                  done.set_value();
                }});
      done.get_future().wait();
    }
  });
}

Took client_calls(const Client& client) {
  Conversation conversation;
  append_turn(conversation, Role::user, "hi");
  return measured(calls, [&] {
    for (int i = 0; i < calls; ++i) (void)unwrap(client.converse(model, conversation).get());
  });
}

Took stream_events(const Client& client) {
  Conversation conversation;
  append_turn(conversation, Role::user, "hi");
  return measured(events, [&] {
    auto stream = unwrap(client.converse_stream(model, conversation).get());
    int count = 0;
    for (const Event& event : stream) count += std::holds_alternative<TextDelta>(event);
    if (count != events || stream.error()) std::abort();
  });
}

int run(int turns) {
  log::set_level(log::Level::off);
  const auto stream = std::make_shared<const std::string>(stream_bytes());
  http::Server server(
      {.threads = 1},
      [stream](http::Request request) { return answer(stream, std::move(request)); },
      [](int, std::string_view) { return http::Response{}; });
  if (!server.start()) return 1;
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port());
  ClientOptions options;
  options.region = "us-east-1";
  options.endpoint_url = url;
  options.credentials = ClientCredentials{"AKIDEXAMPLE", "secret"};
  const Client client = unwrap(Client::make(options));
  std::vector<double> bare;
  std::vector<double> called;
  std::vector<double> ratios;
  std::vector<double> bare_cpu;
  std::vector<double> called_cpu;
  std::vector<double> event_us;
  for (int turn = 0; turn < turns; ++turn) {
    const Took alone = bare_calls(url);
    const Took whole = client_calls(client);
    bare.push_back(alone.wall_us);
    called.push_back(whole.wall_us);
    bare_cpu.push_back(alone.cpu_us);
    called_cpu.push_back(whole.cpu_us);
    ratios.push_back(whole.wall_us / alone.wall_us);
    event_us.push_back(stream_events(client).wall_us);
  }
  fmt::print("call by libcurl alone      {:8.1f} us, {:.1f} us of CPU with the server's\n",
             median(bare), median(bare_cpu));
  fmt::print("Client::converse           {:8.1f} us, {:.1f} us of CPU with the server's\n",
             median(called), median(called_cpu));
  fmt::print("ratio                      {:8.2f}\n", median(ratios));
  fmt::print("event of a stream          {:8.2f} us, {:.0f} events/s\n", median(event_us),
             1e6 / median(event_us));
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) { return craton::run(argc > 1 ? std::atoi(argv[1]) : 5); }
