// Every case of tests/golden/converse: a request, what was read of it, an answer, Converse's reply
// and ConverseStream's events. CRATON_REWRITE_GOLDEN=1 writes what is made instead of comparing.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"
#include "converse/additional_fields.h"
#include "converse/reply.h"
#include "converse/request.h"
#include "converse/stream.h"
#include "converse/test_input.h"

namespace craton::converse {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

const fs::path root = CRATON_SOURCE_DIR "/tests/golden/converse";

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Compares, or writes where that is asked for.
void expect_file(const fs::path& path, const std::string& text) {
  if (std::getenv("CRATON_REWRITE_GOLDEN")) {
    std::ofstream(path) << text << '\n';
    return;
  }
  ASSERT_TRUE(fs::exists(path)) << path << " is missing";
  EXPECT_EQ(read_file(path), text) << path;
}

bj::value block_json(const TextBlock& block) { return {{"text", block.text}}; }

bj::value block_json(const ImageBlock& block) {
  return {{"image", block.format}, {"bytes", block.bytes.size()}};
}

bj::value block_json(const DocumentBlock& block) {
  return {{"document", block.name},
          {"format", block.format},
          {"bytes", block.bytes.size()},
          {"context", block.context}};
}

bj::value block_json(const ToolUseBlock& block) {
  return {{"tool_use", block.id}, {"name", block.name}, {"input", block.input}};
}

bj::value block_json(const ToolResultBlock& block) {
  bj::array content;
  for (const ToolResultPart& part : block.content) {
    content.push_back(std::visit([](const auto& kind) { return block_json(kind); }, part));
  }
  return {{"tool_result", block.tool_use_id}, {"content", content}, {"is_error", block.is_error}};
}

bj::value block_json(const ReasoningBlock& block) {
  return {{"reasoning", block.text}, {"signature", block.signature}, {"redacted", block.redacted}};
}

bj::value tools_json(const Tools& tools) {
  bj::array offered;
  for (const Tool& tool : tools.offered) {
    offered.push_back({{"name", tool.name},
                       {"description", tool.description},
                       {"input_schema", tool.input_schema}});
  }
  const std::string_view choices[] = {"automatic", "any", "named", "none"};
  return {{"offered", offered},
          {"choice", choices[static_cast<std::size_t>(tools.choice)]},
          {"named", tools.named}};
}

bj::object sampling_json(const Sampling& sampling) {
  bj::object members;
  if (sampling.tokens_max) members["tokens_max"] = *sampling.tokens_max;
  if (sampling.temperature) members["temperature"] = *sampling.temperature;
  if (sampling.top_p) members["top_p"] = *sampling.top_p;
  if (sampling.top_k) members["top_k"] = *sampling.top_k;
  if (!sampling.stop_sequences.empty()) {
    members["stop_sequences"] = bj::value_from(sampling.stop_sequences);
  }
  return members;
}

std::string indented(const bj::object& members) {
  std::string text = "{";
  for (const auto& [name, value] : members) {
    if (text.size() > 1) text += ',';
    text += "\n  " + json::quote(name) + ": " + json::to_text(value);
  }
  return text + "\n}";
}

std::string conversation_text(const Request& request) {
  const Conversation& conversation = request.conversation();
  bj::object members;
  bj::array system;
  for (const TextBlock& block : conversation.system) system.emplace_back(block.text);
  if (!system.empty()) members["system"] = std::move(system);
  bj::array turns;
  for (const Turn& turn : conversation.turns) {
    bj::array blocks;
    for (const ContentBlock& block : turn.content) {
      blocks.push_back(std::visit([](const auto& kind) { return block_json(kind); }, block));
    }
    turns.push_back(
        bj::object{{turn.role == Role::user ? "user" : "assistant", std::move(blocks)}});
  }
  members["turns"] = std::move(turns);
  members["sampling"] = sampling_json(conversation.sampling);
  if (!conversation.tools.offered.empty()) members["tools"] = tools_json(conversation.tools);
  if (conversation.format) members["format"] = conversation.format->schema;
  if (conversation.caching) members["caching"] = true;
  if (!request.native.ignored_fields.empty()) {
    members["ignored"] = bj::value_from(request.native.ignored_fields);
  }
  return indented(members);
}

StopReason reason_of(std::string_view name) {
  return name == "end_turn"        ? StopReason::end_turn
         : name == "stop_sequence" ? StopReason::stop_sequence
         : name == "tool_use"      ? StopReason::tool_use
                                   : StopReason::max_tokens;
}

/// Two pieces of a text: what a stream brings it in.
std::vector<std::string> halves(const std::string& text) {
  const std::size_t middle = text.find(' ');
  if (middle == text.npos) return {text};
  return {text.substr(0, middle), text.substr(middle)};
}

/// The events of the answer that a case's answer.json tells of.
std::vector<Event> events_of(const bj::object& members) {
  Usage usage;
  usage.input_tokens = members.at("input_tokens").to_number<int>();
  usage.output_tokens = members.at("output_tokens").to_number<int>();
  if (const auto* cached = members.if_contains("cache_read_tokens")) {
    usage.cache_read_tokens = cached->to_number<int>();
  }
  std::vector<Event> events{MessageStart{usage, {}}};
  for (const bj::value& value : members.at("content").as_array()) {
    const bj::object& block = value.as_object();
    if (const auto* text = block.if_contains("text")) {
      for (std::string& piece : halves(std::string(text->as_string()))) {
        events.emplace_back(TextDelta{std::move(piece), 0, {}});
      }
    } else if (const auto* thought = block.if_contains("reasoning")) {
      for (std::string& piece : halves(std::string(thought->as_string()))) {
        events.emplace_back(ReasoningDelta{std::move(piece)});
      }
    } else {
      events.emplace_back(ToolUseStart{std::string(block.at("tool_use").as_string())});
      for (std::string& piece : halves(std::string(block.at("input").as_string()))) {
        events.emplace_back(ToolInputDelta{std::move(piece)});
      }
      events.emplace_back(ToolUseStop{});
    }
  }
  MessageStop stop{reason_of(members.at("stop_reason").as_string()), {}};
  if (const auto* sequence = members.if_contains("stop_sequence")) {
    stop.stop_sequence = std::string(sequence->as_string());
  }
  events.emplace_back(stop);
  events.emplace_back(usage);
  return events;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

/// A frame a line: its event type and its payload.
std::string frames_text(std::string_view frames) {
  constexpr std::size_t prelude = 12;
  std::string lines;
  while (!frames.empty()) {
    const std::size_t total = number_at(frames, 0);
    const std::size_t headers = number_at(frames, 4);
    const std::string_view first = frames.substr(prelude, headers);
    const auto name_size = static_cast<unsigned char>(first[0]);
    EXPECT_EQ(first.substr(1, name_size), ":event-type");
    const std::size_t value_size = static_cast<unsigned char>(first[name_size + 3]);
    const std::string_view type = first.substr(name_size + 4u, value_size);
    const std::string_view payload =
        frames.substr(prelude + headers, total - prelude - headers - 4);
    EXPECT_TRUE(json::parse(payload)) << payload;
    lines += std::string(type) + " " + std::string(payload) + "\n";
    frames.remove_prefix(total);
  }
  if (!lines.empty()) lines.pop_back();
  return lines;
}

/// With what is new each time replaced.
std::string masked(const std::string& text) {
  static const std::regex padding("\"p\":\"abc?[a-zA-Z0-9]*\"");
  static const std::regex id("tooluse_[A-Za-z0-9_-]{22}\"");
  static const std::regex latency("\"latencyMs\":[0-9]+");
  std::string masked = std::regex_replace(text, padding, "\"p\":\"…\"");
  masked = std::regex_replace(masked, id, "tooluse_ID\"");
  return std::regex_replace(masked, latency, "\"latencyMs\":0");
}

std::vector<fs::path> cases() {
  std::vector<fs::path> folders;
  for (const auto& each : fs::directory_iterator(root)) folders.push_back(each.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, ReadsAndAnswers) {
  const fs::path& folder = GetParam();
  const catalog::Model& model = model_named(read_file(folder / "model_id"));
  const Result<json::object> input = input_of(read_file(folder / "request.json"));
  ASSERT_TRUE(input) << input.error().message;
  Result<Request> request = converse::read(*input, model, Delivery::whole);
  ASSERT_TRUE(request) << request.error().message;
  const Provider provider{families::chat_family_of(model.id),
                          {model.id, model.context_tokens, model.output_tokens_max},
                          "11111111-2222-4333-8444-555555555555"};
  expect_file(folder / "conversation.json", conversation_text(*request));

  const auto events = events_of(bj::parse(read_file(folder / "answer.json")).as_object());
  AnswerBuilder builder;
  for (const Event& event : events) builder.add(event);
  const Answer answer = *builder.take();
  const std::string reply = render(
      *request, answer, additional_response_fields(provider, *request, answer), Milliseconds(0));
  EXPECT_TRUE(json::parse(reply)) << reply;
  expect_file(folder / "reply.json", masked(reply));

  StreamWriter writer(std::make_shared<const Request>(*request), provider,
                      std::chrono::steady_clock::now());
  std::string frames;
  for (const Event& event : events) writer.write(event, frames);
  expect_file(folder / "stream.txt", masked(frames_text(frames)));
}

INSTANTIATE_TEST_SUITE_P(Converse, Golden, testing::ValuesIn(cases()), [](const auto& row) {
  std::string name = row.param.filename().string();
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace craton::converse
