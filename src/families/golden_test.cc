// Every case of tests/golden/families: a native request, what was read of it, an answer, the native
// reply; or the refusal. CRATON_REWRITE_GOLDEN=1 writes what the families make instead of
// comparing.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"
#include "families/family.h"
#include "families/openai.h"

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
  if (sampling.frequency_penalty) members["frequency_penalty"] = *sampling.frequency_penalty;
  if (sampling.presence_penalty) members["presence_penalty"] = *sampling.presence_penalty;
  if (sampling.seed) members["seed"] = *sampling.seed;
  if (!sampling.stop_sequences.empty()) {
    members["stop_sequences"] = bj::value_from(sampling.stop_sequences);
  }
  if (sampling.likelihoods != Likelihoods::none) {
    members["likelihoods"] = sampling.likelihoods == Likelihoods::all ? "all" : "generated";
  }
  return members;
}

/// Files of a line or so as they are, others by their size.
bj::value bytes_json(const std::string& bytes) {
  const bool shown =
      bytes.size() < 200 && json::parse(json::quote(bytes)) && bytes.find('\0') == bytes.npos;
  return shown ? bj::value(bytes) : bj::value(std::to_string(bytes.size()) + " bytes");
}

/// A block of a turn, or a part of a tool's result.
struct BlockJson {
  bj::value operator()(const TextBlock& block) const { return bj::value(block.text); }

  bj::value operator()(const ImageBlock& block) const {
    return bj::object{{"image", block.format}, {"bytes", bytes_json(block.bytes)}};
  }

  bj::value operator()(const DocumentBlock& block) const {
    bj::object members{{"document", block.format}};
    if (!block.name.empty()) members["name"] = block.name;
    if (!block.context.empty()) members["context"] = block.context;
    members["bytes"] = bytes_json(block.bytes);
    return members;
  }

  bj::value operator()(const ToolUseBlock& block) const {
    return bj::object{{"tool_use", block.name}, {"id", block.id}, {"input", block.input}};
  }

  bj::value operator()(const ToolResultBlock& block) const {
    bj::array content;
    for (const ToolResultPart& part : block.content) content.push_back(std::visit(*this, part));
    bj::object members{{"tool_result", block.tool_use_id}, {"content", std::move(content)}};
    if (block.is_error) members["is_error"] = true;
    return members;
  }

  bj::value operator()(const ReasoningBlock& block) const {
    if (!block.redacted.empty()) return bj::object{{"redacted", block.redacted}};
    bj::object members{{"reasoning", block.text}};
    if (!block.signature.empty()) members["signature"] = block.signature;
    return members;
  }
};

/// The turn's text where it is nothing else.
bj::value content_json(const Turn& turn) {
  bj::array blocks;
  bool all_text = true;
  for (const ContentBlock& block : turn.content) {
    all_text = all_text && std::holds_alternative<TextBlock>(block);
    blocks.push_back(std::visit(BlockJson{}, block));
  }
  if (all_text) return bj::value(text_of(turn));
  return blocks;
}

bj::object tools_json(const Tools& tools) {
  bj::array offered;
  for (const Tool& tool : tools.offered) {
    bj::object members{{"name", tool.name}};
    if (!tool.description.empty()) members["description"] = tool.description;
    members["input_schema"] = tool.input_schema;
    offered.push_back(std::move(members));
  }
  bj::object members{{"offered", std::move(offered)}};
  switch (tools.choice) {
    case ToolChoice::automatic: break;
    case ToolChoice::any: members["choice"] = "any"; break;
    case ToolChoice::named: members["choice"] = "named"; break;
    case ToolChoice::none: members["choice"] = "none"; break;
  }
  if (!tools.named.empty()) members["named"] = tools.named;
  if (!tools.parallel) members["parallel"] = false;
  return members;
}

bj::object reasoning_json(const Reasoning& reasoning) {
  bj::object members{{"wanted", reasoning.wanted}};
  if (reasoning.budget_tokens) members["budget_tokens"] = *reasoning.budget_tokens;
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
    members[turn.role == Role::user ? "user" : "assistant"] = content_json(turn);
    turns.push_back(std::move(members));
  }
  bj::object members;
  if (!conversation.system.empty()) members["system"] = texts(conversation.system);
  members["turns"] = std::move(turns);
  members["sampling"] = sampling_json(conversation.sampling);
  if (conversation.tools != Tools{}) members["tools"] = tools_json(conversation.tools);
  if (conversation.format) members["format"] = conversation.format->schema;
  if (conversation.reasoning != Reasoning{}) {
    members["reasoning"] = reasoning_json(conversation.reasoning);
  }
  if (conversation.caching) members["caching"] = true;
  if (conversation.raw_completion) members["raw_completion"] = true;
  if (request.generations != 1) members["generations"] = request.generations;
  if (!request.echo.empty()) members["echo"] = request.echo;
  if (!request.lead.empty()) members["lead"] = request.lead;
  if (!request.ignored_fields.empty()) members["ignored"] = bj::value_from(request.ignored_fields);
  return indented(members);
}

AnswerBlock block_of(const bj::object& members) {
  const auto text = [&](std::string_view name) {
    return std::string(members.at(name).as_string());
  };
  if (members.contains("tool_use")) return ToolUseBlock{{}, text("tool_use"), text("input")};
  if (members.contains("redacted")) return ReasoningBlock{{}, {}, text("redacted")};
  if (members.contains("reasoning")) return ReasoningBlock{text("reasoning"), {}, {}};
  return TextBlock{text("text")};
}

/// [["token", -0.5], …]
std::vector<TokenLikelihood> likelihoods_of(const bj::object& members, std::string_view name) {
  std::vector<TokenLikelihood> likelihoods;
  if (const auto* array = members.if_contains(name)) {
    for (const bj::value& each : array->as_array()) {
      likelihoods.push_back({std::string(each.at(0).as_string()), each.at(1).to_number<double>()});
    }
  }
  return likelihoods;
}

StopReason stop_reason_of(std::string_view name) {
  if (name == "end_turn") return StopReason::end_turn;
  if (name == "stop_sequence") return StopReason::stop_sequence;
  return name == "tool_use" ? StopReason::tool_use : StopReason::max_tokens;
}

int count_of(const bj::object& members, std::string_view name) {
  const auto* count = members.if_contains(name);
  return count ? count->to_number<int>() : 0;
}

/// Of {"text": …} or {"content": [{"reasoning": …}, {"text": …}, {"tool_use": …, "input": …}]}.
Answer answer_of(const bj::object& members) {
  Answer answer;
  if (const auto* text = members.if_contains("text")) {
    answer = text_answer(std::string(text->as_string()));
  } else {
    for (const bj::value& block : members.at("content").as_array()) {
      answer.content.push_back(block_of(block.as_object()));
    }
  }
  answer.stop_reason = stop_reason_of(members.at("stop_reason").as_string());
  if (const auto* stop = members.if_contains("stop_sequence")) {
    answer.stop_sequence = std::string(stop->as_string());
  }
  answer.usage = {count_of(members, "input_tokens"), count_of(members, "output_tokens"),
                  count_of(members, "cache_read_tokens"), count_of(members, "cache_write_tokens")};
  answer.likelihoods = likelihoods_of(members, "likelihoods");
  answer.prompt_likelihoods = likelihoods_of(members, "prompt_likelihoods");
  return answer;
}

/// One answer, or an array of as many as are asked for.
std::vector<Answer> answers_of(const fs::path& path) {
  const bj::value read_value = bj::parse(read(path));
  if (const auto* one = read_value.if_object()) return {answer_of(*one)};
  std::vector<Answer> answers;
  for (const bj::value& each : read_value.as_array()) {
    answers.push_back(answer_of(each.as_object()));
  }
  return answers;
}

/// The reply with the ids that are new each time replaced.
std::string masked(const std::string& reply) {
  static const std::regex uuid(
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  static const std::regex anthropic("(msg_bdrk_|compl_|toolu_bdrk_)01[1-9A-HJ-NP-Za-km-z]{22}");
  static const std::regex mistral(R"re("id":"([0-9A-Za-z]{22}|[0-9A-Za-z]{9})")re");
  static const std::regex response("[0-9a-f]{8}/UUID");
  static const std::regex openai("\"(call|fc|msg|resp|rs)_[0-9A-Za-z]{24,48}\"");
  std::string text = std::regex_replace(reply, uuid, "UUID");
  text = std::regex_replace(text, anthropic, "$1ID");
  text = std::regex_replace(text, response, "HEX/UUID");
  text = std::regex_replace(text, openai, "\"$1_ID\"");
  return std::regex_replace(text, mistral, R"("id":"ID")");
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

constexpr WallTime now{std::chrono::seconds{1'700'000'000}};

/// Calls `piece` with each word of `text` and the blank before it.
template <class Piece>
void in_words(std::string_view text, Piece piece) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' ', 1), text.size());
    piece(std::string(text.substr(0, end)));
    text.remove_prefix(end);
  }
}

/// The events that a block comes in.
struct BlockEvents {
  std::vector<Event>& events;
  int& tokens;

  void operator()(const TextBlock& block) const {
    in_words(block.text, [&](std::string word) {
      events.emplace_back(TextDelta{std::move(word), ++tokens, {}});
    });
  }

  void operator()(const ReasoningBlock& block) const {
    in_words(block.text, [&](std::string word) {
      ++tokens;
      events.emplace_back(ReasoningDelta{std::move(word)});
    });
  }

  void operator()(const ToolUseBlock& block) const {
    events.emplace_back(ToolUseStart{block.name});
    in_words(block.input, [&](std::string word) {
      ++tokens;
      events.emplace_back(ToolInputDelta{std::move(word)});
    });
    events.emplace_back(ToolUseStop{});
  }
};

std::vector<Event> events_of(const Answer& answer) {
  std::vector<Event> events{MessageStart{answer.usage, answer.prompt_likelihoods}};
  int tokens = 0;
  for (const AnswerBlock& block : answer.content) std::visit(BlockEvents{events, tokens}, block);
  if (!answer.likelihoods.empty()) events.emplace_back(TextDelta{{}, tokens, answer.likelihoods});
  events.emplace_back(MessageStop{answer.stop_reason, answer.stop_sequence});
  events.emplace_back(answer.usage);
  return events;
}

/// The pieces of a streamed reply, one a line.
std::string streamed(const Family& family, const StreamContext& context,
                     const std::vector<Answer>& answers) {
  const std::unique_ptr<StreamWriter> writer = family.stream(context);
  std::vector<std::string> pieces;
  for (int generation = 0; const Answer& answer : answers) {
    for (const Event& event : events_of(answer)) {
      writer->write(event, generation, pieces);
    }
    ++generation;
  }
  std::string lines;
  for (const std::string& piece : pieces) {
    EXPECT_TRUE(json::parse(piece)) << piece;
    lines += (lines.empty() ? "" : "\n") + piece;
  }
  return lines;
}

/// The endpoints' families are told by name, the others by the model id.
const Family* family_for(const std::string& name, const std::string& model_id,
                         const std::string& body) {
  for (const Family* family : {&openai_chat_endpoint, &openai_responses, &openai_completion}) {
    if (family->name == name) return family;
  }
  return family_of(model_id, body);
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, ReadsAndWritesItsSchema) {
  const fs::path& folder = GetParam();
  const std::string model_id = read(folder / "model_id");
  const std::string body = read(folder / "request.json");
  const Family* family = family_for(folder.parent_path().filename().string(), model_id, body);
  ASSERT_NE(family, nullptr);
  EXPECT_EQ(family->name, folder.parent_path().filename().string());

  const ModelContext model = context_of(model_id, folder);
  const Result<NativeRequest> request = family->parse(model, body);
  if (!request) {
    return expect_file(folder / "error.txt", std::string(shape_of(request.error().code).name) +
                                                 ": " + request.error().message);
  }
  expect_file(folder / "conversation.json", conversation_text(*request));
  const std::vector<Answer> answers = answers_of(folder / "answer.json");
  ASSERT_EQ(std::ssize(answers), request->generations);
  const std::string reply = family->render({model, *request, answers, request_id, now});
  EXPECT_TRUE(json::parse(reply)) << reply;
  expect_file(folder / "reply.json", masked(reply));
  if (!family->stream) return;
  expect_file(folder / "stream.jsonl",
              masked(streamed(*family, {model, *request, request_id, now}, answers)));
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
