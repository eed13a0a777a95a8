// Every case of tests/golden/families: a native request, what was read of it, an answer, the native
// reply; or the refusal. CRATON_REWRITE_GOLDEN=1 writes what the families make instead of
// comparing.
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
#include "families/family.h"

namespace craton::families {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

const fs::path root = CRATON_SOURCE_DIR "/tests/golden/families";

std::string read(const fs::path& path) {
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
  EXPECT_EQ(read(path), text) << path;
}

// Limits of a model that no case is about; those that are about them name it in limits.json.
ModelContext context_of(const std::string& model_id, const fs::path& folder) {
  ModelContext context{model_id, 4096, 4096};
  const fs::path limits = folder / "limits.json";
  if (fs::exists(limits)) {
    context.output_tokens_max = bj::parse(read(limits)).at("output_tokens_max").to_number<int>();
  }
  return context;
}

bj::array texts(const std::vector<TextBlock>& blocks) {
  bj::array array;
  for (const TextBlock& block : blocks) array.emplace_back(block.text);
  return array;
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

std::string conversation_text(const NativeRequest& request) {
  const Conversation& conversation = request.conversation;
  bj::array turns;
  for (const Turn& turn : conversation.turns) {
    bj::object members;
    members[turn.role == Role::user ? "user" : "assistant"] = text_of(turn);
    turns.push_back(std::move(members));
  }
  bj::object members;
  if (!conversation.system.empty()) members["system"] = texts(conversation.system);
  members["turns"] = std::move(turns);
  members["sampling"] = sampling_json(conversation.sampling);
  if (conversation.raw_completion) members["raw_completion"] = true;
  if (!request.echo.empty()) members["echo"] = request.echo;
  if (!request.lead.empty()) members["lead"] = request.lead;
  if (!request.ignored_fields.empty()) members["ignored"] = bj::value_from(request.ignored_fields);
  return indented(members);
}

Answer answer_of(const fs::path& path) {
  const bj::object members = bj::parse(read(path)).as_object();
  Answer answer = text_answer(std::string(members.at("text").as_string()));
  const std::string_view reason = members.at("stop_reason").as_string();
  answer.stop_reason = reason == "end_turn"        ? StopReason::end_turn
                       : reason == "stop_sequence" ? StopReason::stop_sequence
                                                   : StopReason::max_tokens;
  if (const auto* stop = members.if_contains("stop_sequence")) {
    answer.stop_sequence = std::string(stop->as_string());
  }
  answer.usage.input_tokens = members.at("input_tokens").to_number<int>();
  answer.usage.output_tokens = members.at("output_tokens").to_number<int>();
  return answer;
}

/// The reply with the ids that are new each time replaced.
std::string masked(const std::string& reply) {
  static const std::regex uuid(
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  static const std::regex anthropic("(msg_bdrk_|compl_)01[1-9A-HJ-NP-Za-km-z]{22}");
  return std::regex_replace(std::regex_replace(reply, uuid, "UUID"), anthropic, "$1ID");
}

std::vector<fs::path> cases() {
  std::vector<fs::path> folders;
  for (const auto& family : fs::directory_iterator(root)) {
    for (const auto& each : fs::directory_iterator(family)) folders.push_back(each.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

constexpr std::string_view request_id = "11111111-2222-4333-8444-555555555555";

/// The events that an answer of text comes in, a piece a word.
std::vector<Event> events_of(const Answer& answer) {
  std::vector<Event> events{MessageStart{answer.usage, {}}};
  const std::string text = answer.text();
  int tokens = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin + 1), text.size());
    events.emplace_back(TextDelta{text.substr(begin, end - begin), ++tokens, {}});
    begin = end;
  }
  events.emplace_back(MessageStop{answer.stop_reason, answer.stop_sequence});
  events.emplace_back(answer.usage);
  return events;
}

/// The pieces of a streamed reply, one a line.
std::string streamed(const Family& family, const StreamContext& context, const Answer& answer) {
  const std::unique_ptr<StreamWriter> writer = family.stream(context);
  std::vector<std::string> pieces;
  for (const Event& event : events_of(answer)) writer->write(event, 0, pieces);
  std::string lines;
  for (const std::string& piece : pieces) {
    EXPECT_TRUE(json::parse(piece)) << piece;
    lines += piece + "\n";
  }
  return lines;
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, ReadsAndWritesItsSchema) {
  const fs::path& folder = GetParam();
  const std::string model_id = read(folder / "model_id");
  const std::string body = read(folder / "request.json");
  const Family* family = family_of(model_id, body);
  ASSERT_NE(family, nullptr);
  EXPECT_EQ(family->name, folder.parent_path().filename().string());

  const ModelContext model = context_of(model_id, folder);
  const Result<NativeRequest> request = family->parse(model, body);
  if (!request) {
    return expect_file(folder / "error.txt", std::string(shape_of(request.error().code).name) +
                                                 ": " + request.error().message);
  }
  expect_file(folder / "conversation.json", conversation_text(*request));
  const Answer answer = answer_of(folder / "answer.json");
  const std::string reply = family->render({model, *request, {&answer, 1}, request_id});
  EXPECT_TRUE(json::parse(reply)) << reply;
  expect_file(folder / "reply.json", masked(reply));
  if (!family->stream) return;
  expect_file(folder / "stream.jsonl",
              masked(streamed(*family, {model, *request, request_id}, answer)));
}

INSTANTIATE_TEST_SUITE_P(Families, Golden, testing::ValuesIn(cases()), [](const auto& row) {
  std::string name =
      row.param.parent_path().filename().string() + "_" + row.param.filename().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

TEST(Families, HaveAGoldenCaseEach) {
  for (const Family* family : all_families()) {
    EXPECT_TRUE(fs::exists(root / family->name)) << family->name;
  }
}

}  // namespace
}  // namespace craton::families
