// Questions with tools, put to the engine itself.
//
// usage: craton_bench_tools MODEL.gguf [THREADS] < QUESTIONS
// A question is a line: {"text", "choice": "auto" | "any", "tools": [{"name", "description",
// "schema"}]}. Its answer is a line: {"text", "calls": [{"name", "input"}], "stop"}.
#include <boost/json.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "engines/llama/llama_engine.h"

namespace craton {
namespace {

using engines::Generation;

constexpr int tokens_max = 120;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "craton_bench_tools: %s\n", what.c_str());
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

Conversation conversation_of(const std::string& line) {
  const json::value question = *json::parse(line);
  Conversation conversation;
  append_turn(conversation, Role::user, std::string(question.at("text").as_string()));
  for (const json::value& tool : question.at("tools").as_array()) {
    conversation.tools.offered.push_back({std::string(tool.at("name").as_string()),
                                          std::string(tool.at("description").as_string()),
                                          json::to_text(tool.at("schema"))});
  }
  if (question.at("choice") == "any") conversation.tools.choice = ToolChoice::any;
  conversation.sampling.temperature = 0;
  conversation.sampling.tokens_max = tokens_max;
  return conversation;
}

Answer answer_of(Generation& generation) {
  AnswerBuilder builder;
  while (!builder.complete()) {
    while (auto event = generation.try_next()) builder.add(std::move(*event));
    if (!builder.complete()) wait_on([&](auto wake) { generation.notify(wake); });
  }
  auto answer = builder.take();
  if (!answer) die(answer.error().error.message);
  return *std::move(answer);
}

std::string_view told(StopReason reason) {
  switch (reason) {
    case StopReason::end_turn: return "end_turn";
    case StopReason::stop_sequence: return "stop_sequence";
    case StopReason::max_tokens: return "max_tokens";
    case StopReason::full_context: return "full_context";
    case StopReason::tool_use: return "tool_use";
  }
  return "unknown";
}

json::object told(const Answer& answer) {
  json::array calls;
  for (const AnswerBlock& block : answer.content) {
    const auto* call = std::get_if<ToolUseBlock>(&block);
    if (call) calls.push_back({{"name", call->name}, {"input", call->input}});
  }
  return {{"text", answer.text()},
          {"calls", std::move(calls)},
          {"stop", told(answer.stop_reason)},
          {"output_tokens", answer.usage.output_tokens}};
}

int run(const char* model, int threads) {
  log::set_level(log::Level::error);
  const auto engine = engines::llama::make_llama_engine(
      {.path = model, .threads = threads, .kv_cells = 16384, .parallel = 4, .waiting_max = 1000});
  wait_on([&](auto wake) { engine->notify_loaded(wake); });
  std::vector<std::shared_ptr<Generation>> generations;
  for (std::string line; std::getline(std::cin, line);) {
    auto generation = engine->generate(conversation_of(line), {});
    if (!generation) die(generation.error().message);
    generations.push_back(*generation);
  }
  for (const auto& generation : generations) {
    std::cout << json::to_text(told(answer_of(*generation))) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) {
  if (argc < 2) craton::die("usage: craton_bench_tools MODEL.gguf [THREADS] < QUESTIONS");
  return craton::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 0);
}
