// Amazon Nova's understanding models. Their native body is that of Converse, with base64 for bytes.
//
// Source: docs.aws.amazon.com/nova "Complete request schema", "Request and response schema" (Nova
// 2); pieces from recorded streams.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/utf8.h"
#include "documents/document_rules.h"
#include "families/attachments.h"
#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"amazon.nova-micro-",  "amazon.nova-lite-",
                                         "amazon.nova-pro-",    "amazon.nova-premier-",
                                         "amazon.nova-2-lite-", "amazon.nova-2-pro-"};

bool is_nova_2(const ModelContext& model) { return model.model_id.starts_with("amazon.nova-2-"); }

std::optional<double> tokens_max(const ModelContext& model) { return model.output_tokens_max; }

// Blocks have no `type`: their only member says what they are.

constexpr Property location_properties[] = {{"uri", &text_schema, Presence::required},
                                            {"bucketOwner", &text_schema}};
constexpr Schema location_schema{.type = JsonType::object, .properties = location_properties};
constexpr Property source_properties[] = {{"bytes", &text_schema},
                                          {"s3Location", &location_schema}};
constexpr Schema source_schema{.type = JsonType::object, .properties = source_properties};

constexpr std::string_view image_formats[] = {"png", "jpeg", "gif", "webp"};
constexpr Schema image_format_schema{.type = JsonType::string, .values = image_formats};
constexpr Property image_properties[] = {{"format", &image_format_schema, Presence::required},
                                         {"source", &source_schema, Presence::required}};
constexpr Schema image_schema{.type = JsonType::object, .properties = image_properties};

constexpr std::string_view document_formats[] = {"pdf",  "csv",  "doc", "docx", "xls",
                                                 "xlsx", "html", "txt", "md"};
constexpr Schema document_format_schema{.type = JsonType::string, .values = document_formats};
constexpr Property document_properties[] = {{"format", &document_format_schema, Presence::required},
                                            {"name", &text_schema, Presence::required},
                                            {"source", &source_schema, Presence::required}};
constexpr Schema document_schema{.type = JsonType::object, .properties = document_properties};

constexpr Property tool_use_properties[] = {{"toolUseId", &text_schema, Presence::required},
                                            {"name", &text_schema, Presence::required},
                                            {"input", &free_object_schema, Presence::required}};
constexpr Schema tool_use_schema{.type = JsonType::object, .properties = tool_use_properties};

constexpr Property part_properties[] = {{"text", &text_schema},
                                        {"json", &any_schema},
                                        {"image", &image_schema},
                                        {"document", &document_schema},
                                        {"video", &free_object_schema}};
constexpr Schema part_schema{.type = JsonType::object, .properties = part_properties};
constexpr Schema parts_schema{.type = JsonType::array, .items = &part_schema};
constexpr std::string_view statuses[] = {"success", "error"};
constexpr Schema status_schema{.type = JsonType::string, .values = statuses};
constexpr Property tool_result_properties[] = {{"toolUseId", &text_schema, Presence::required},
                                               {"content", &parts_schema, Presence::required},
                                               {"status", &status_schema}};
constexpr Schema tool_result_schema{.type = JsonType::object, .properties = tool_result_properties};

constexpr Property thought_properties[] = {{"text", &text_schema, Presence::required},
                                           {"signature", &text_schema}};
constexpr Schema thought_schema{.type = JsonType::object, .properties = thought_properties};
constexpr Property reasoning_properties[] = {{"reasoningText", &thought_schema},
                                             {"redactedContent", &text_schema}};
constexpr Schema reasoning_schema{.type = JsonType::object, .properties = reasoning_properties};

constexpr Property cache_point_properties[] = {{"type", &text_schema, Presence::required},
                                               {"ttl", &text_schema}};
constexpr Schema cache_point_schema{.type = JsonType::object, .properties = cache_point_properties};

constexpr Property block_properties[] = {
    {"text", &text_schema},
    {"image", &image_schema},
    {"document", &document_schema},
    {"video", &free_object_schema},
    {"audio", &free_object_schema, Presence::optional, is_nova_2},
    {"toolUse", &tool_use_schema},
    {"toolResult", &tool_result_schema},
    {"cachePoint", &cache_point_schema},
    {"reasoningContent", &reasoning_schema, Presence::optional, is_nova_2},
};
constexpr Schema block_schema{.type = JsonType::object, .properties = block_properties};
constexpr Schema blocks_schema{.type = JsonType::array, .size_min = 1, .items = &block_schema};

constexpr std::string_view roles[] = {"user", "assistant"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property message_properties[] = {{"role", &role_schema, Presence::required},
                                           {"content", &blocks_schema, Presence::required}};
constexpr Schema message_schema{.type = JsonType::object, .properties = message_properties};
constexpr Schema messages_schema{.type = JsonType::array, .size_min = 1, .items = &message_schema};

constexpr Property system_properties[] = {{"text", &text_schema},
                                          {"cachePoint", &cache_point_schema}};
constexpr Schema system_block_schema{.type = JsonType::object, .properties = system_properties};
constexpr Schema system_schema{.type = JsonType::array, .items = &system_block_schema};

bool is_tool_name(std::string_view name) {
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(digits) == name.npos;
}
constexpr Pattern tool_name_pattern{"^[a-zA-Z0-9_-]{1,64}$", is_tool_name};
constexpr Schema tool_name_schema{.type = JsonType::string, .pattern = &tool_name_pattern};
constexpr Property input_schema_properties[] = {{"json", &free_object_schema, Presence::required}};
constexpr Schema input_schema_schema{.type = JsonType::object,
                                     .properties = input_schema_properties};
constexpr Property spec_properties[] = {{"name", &tool_name_schema, Presence::required},
                                        {"description", &text_schema},
                                        {"inputSchema", &input_schema_schema, Presence::required},
                                        {"strict", &boolean_schema}};
constexpr Schema spec_schema{.type = JsonType::object, .properties = spec_properties};
constexpr Property tool_properties[] = {
    {"toolSpec", &spec_schema},
    {"cachePoint", &cache_point_schema},
    {"systemTool", &free_object_schema, Presence::optional, is_nova_2}};
constexpr Schema tool_schema{.type = JsonType::object, .properties = tool_properties};
constexpr Schema tools_schema{
    .type = JsonType::array, .size_min = 1, .size_max = 256, .items = &tool_schema};
constexpr Property named_properties[] = {{"name", &text_schema, Presence::required}};
constexpr Schema named_schema{.type = JsonType::object, .properties = named_properties};
constexpr Property choice_properties[] = {
    {"auto", &free_object_schema}, {"any", &free_object_schema}, {"tool", &named_schema}};
constexpr Schema choice_schema{.type = JsonType::object, .properties = choice_properties};
constexpr Property tool_config_properties[] = {{"tools", &tools_schema, Presence::required},
                                               {"toolChoice", &choice_schema}};
constexpr Schema tool_config_schema{.type = JsonType::object, .properties = tool_config_properties};

/// How many tokens of thought an effort is worth where an engine has to be given a number.
struct Effort {
  std::string_view name;
  std::optional<int> budget_tokens;
};
constexpr std::array effort_rows{Effort{"low", 1024}, Effort{"medium", 4096}, Effort{"high", {}}};
constexpr std::string_view efforts[] = {"low", "medium", "high"};
constexpr Schema effort_schema{.type = JsonType::string, .values = efforts};
constexpr std::string_view switches[] = {"enabled", "disabled"};
constexpr Schema switch_schema{.type = JsonType::string, .values = switches};
constexpr Property reasoning_config_properties[] = {{"type", &switch_schema, Presence::required},
                                                    {"maxReasoningEffort", &effort_schema}};
constexpr Schema reasoning_config_schema{.type = JsonType::object,
                                         .properties = reasoning_config_properties};

constexpr Schema tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum_of = tokens_max};
constexpr Schema top_k_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{128}};
constexpr Property inference_properties[] = {
    {"maxTokens", &tokens_schema},
    {"max_new_tokens", &tokens_schema},
    {"temperature", &unit_schema},
    {"topP", &unit_schema},
    {"topK", &top_k_schema},
    {"stopSequences", &texts_schema},
    {"reasoningConfig", &reasoning_config_schema, Presence::optional, is_nova_2},
};
constexpr Schema inference_schema{.type = JsonType::object, .properties = inference_properties};

constexpr std::string_view versions[] = {"messages-v1"};
constexpr Schema version_schema{.type = JsonType::string, .values = versions};
constexpr Property properties[] = {
    {"schemaVersion", &version_schema},
    {"messages", &messages_schema, Presence::required},
    {"system", &system_schema},
    {"inferenceConfig", &inference_schema},
    {"toolConfig", &tool_config_schema},
    {"reasoningConfig", &reasoning_config_schema, Presence::optional, is_nova_2},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr Property additional_properties[] = {
    {"inferenceConfig", &inference_schema},
    {"topK", &top_k_schema},
    {"reasoningConfig", &reasoning_config_schema, Presence::optional, is_nova_2},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

/// As much of the caller's own text as a refusal repeats.
std::string shown(std::string_view text) {
  return std::string(first_characters(text, repeated_text_max));
}

/// The one member of a block; nullptr when there is none or are several.
const boost::json::key_value_pair* only_member(const json::object& block) {
  return block.size() == 1 ? &*block.begin() : nullptr;
}

/// Reads messages one after the other.
class Reader {
 public:
  Reader(const ModelContext& model, Conversation& conversation)
      : conversation_(conversation), attachments_(nova_attachments, model.model_id) {}

  Result<void> read_system(const json::object& body) {
    const json::value* system = body.if_contains("system");
    if (!system) return {};
    for (const json::value& block : system->get_array()) {
      const json::object& members = block.get_object();
      if (members.contains("cachePoint")) mark_for_cache(conversation_, {});
      const std::string_view text = text_member(members, "text");
      if (!text.empty()) conversation_.system.push_back({std::string(text)});
    }
    return {};
  }

  Result<void> read_messages(const json::array& messages) {
    if (text_member(messages.front().get_object(), "role") != "user") {
      return refused(
          "A conversation must start with a user message. Try again with a conversation that "
          "starts with a user message.");
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      CRATON_TRY(read_message(messages[i].get_object(), "#/messages/" + std::to_string(i)));
    }
    if (conversation_.turns.empty()) return violation("#/messages: no message has content");
    CRATON_TRY(attachments_.finish());
    const auto& last = conversation_.turns.back().content;
    const auto call = std::ranges::find_if(last, [](const ContentBlock& block) {
      return std::holds_alternative<ToolUseBlock>(block);
    });
    if (call == last.end()) return {};
    return refused("Expected toolResult blocks at messages." + std::to_string(messages.size()) +
                   ".content for the following Ids: " + shown(std::get<ToolUseBlock>(*call).id));
  }

 private:
  Result<void> read_message(const json::object& message, const std::string& at) {
    Turn turn{text_member(message, "role") == "user" ? Role::user : Role::assistant, {}};
    const json::array& blocks = message.at("content").get_array();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      CRATON_TRY(read_block(blocks[i].get_object(), at + "/content/" + std::to_string(i), turn));
    }
    const auto count = [&](std::string_view kind) {
      return static_cast<std::size_t>(std::ranges::count_if(
          blocks, [&](const json::value& block) { return block.get_object().contains(kind); }));
    };
    CRATON_TRY(documents::check_text_beside_documents(count("document"), count("text")));
    if (!turn.content.empty()) merge_turn(conversation_.turns, std::move(turn));
    return {};
  }

  Result<void> read_block(const json::object& block, const std::string& at, Turn& turn) {
    const auto* member = only_member(block);
    if (!member) return violation(at + ": expected one member");
    const std::string_view kind = member->key();
    if (kind == "cachePoint") {
      mark_for_cache(conversation_, {conversation_.turns.size(), turn.content.size()});
      return {};
    }
    if (kind == "toolUse") return add_tool_use(member->value().get_object(), at, turn);
    if (kind == "toolResult") return add_tool_result(member->value().get_object(), at, turn);
    if (kind == "reasoningContent") return add_reasoning(member->value().get_object(), turn);
    const bool is_file = kind == "image" || kind == "document";
    if (is_file && turn.role == Role::assistant) return unsupported_block(kind, "assistant");
    CRATON_TRY_ASSIGN(std::optional<ToolResultPart> part, part_of(*member, at));
    if (!part) return {};
    std::visit([&](auto& each) { turn.content.emplace_back(std::move(each)); }, *part);
    return {};
  }

  Result<void> add_tool_use(const json::object& call, const std::string& at, Turn& turn) {
    if (turn.role != Role::assistant) return violation(at + ": toolUse is the assistant's");
    const std::string_view id = text_member(call, "toolUseId");
    calls_.emplace(id);
    turn.content.emplace_back(ToolUseBlock{.id = std::string(id),
                                           .name = std::string(text_member(call, "name")),
                                           .input = json::to_text(call.at("input"))});
    return {};
  }

  Result<void> add_tool_result(const json::object& result, const std::string& at, Turn& turn) {
    if (turn.role != Role::user) return violation(at + ": toolResult is the user's");
    ToolResultBlock block{.tool_use_id = std::string(text_member(result, "toolUseId")),
                          .content = {},
                          .is_error = text_member(result, "status") == "error"};
    if (!calls_.contains(block.tool_use_id)) {
      return refused("The toolUseId " + shown(block.tool_use_id) + " of the toolResult block at " +
                     at + " is that of no toolUse block before it.");
    }
    const json::array& parts = result.at("content").get_array();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string part_at = at + "/toolResult/content/" + std::to_string(i);
      const auto* member = only_member(parts[i].get_object());
      if (!member) return violation(part_at + ": expected one member");
      CRATON_TRY_ASSIGN(std::optional<ToolResultPart> part, part_of(*member, part_at));
      if (part) block.content.push_back(*std::move(part));
    }
    turn.content.emplace_back(std::move(block));
    return {};
  }

  Result<void> add_reasoning(const json::object& reasoning, Turn& turn) {
    ReasoningBlock block;
    if (const json::value* thought = reasoning.if_contains("reasoningText")) {
      block.text = text_member(thought->get_object(), "text");
      block.signature = text_member(thought->get_object(), "signature");
    }
    block.redacted = text_member(reasoning, "redactedContent");
    if (block != ReasoningBlock{}) turn.content.emplace_back(std::move(block));
    return {};
  }

  /// A text, an image or a document; nothing of an empty text.
  Result<std::optional<ToolResultPart>> part_of(const boost::json::key_value_pair& member,
                                                const std::string& at) {
    const std::string_view kind = member.key();
    if (kind == "text") {
      const std::string_view text = member.value().get_string();
      if (text.empty()) return std::optional<ToolResultPart>();
      return std::optional<ToolResultPart>(TextBlock{std::string(text)});
    }
    if (kind == "json")
      return std::optional<ToolResultPart>(TextBlock{json::to_text(member.value())});
    if (kind != "image" && kind != "document") {
      return not_supported(std::string(kind) + " blocks", "Send text, images and documents");
    }
    return file_of(kind, member.value().get_object(), at + "/" + std::string(kind));
  }

  /// An image or a document.
  Result<std::optional<ToolResultPart>> file_of(std::string_view kind, const json::object& members,
                                                const std::string& at) {
    CRATON_TRY_ASSIGN(std::string bytes,
                      bytes_of(members.at("source").get_object(), at + "/source"));
    std::string format(text_member(members, "format"));
    if (kind == "image") {
      ImageBlock image{std::move(format), std::move(bytes)};
      CRATON_TRY(attachments_.add(image, at));
      return std::optional<ToolResultPart>(std::move(image));
    }
    DocumentBlock document{.format = std::move(format),
                           .name = std::string(text_member(members, "name")),
                           .bytes = std::move(bytes),
                           .context = {}};
    CRATON_TRY(attachments_.add(document, at));
    return std::optional<ToolResultPart>(std::move(document));
  }

  static Result<std::string> bytes_of(const json::object& source, const std::string& at) {
    if (source.contains("s3Location")) {
      return not_supported("s3Location", "Send the file itself, as bytes");
    }
    std::optional<std::string> bytes = base64_bytes(text_member(source, "bytes"));
    if (!bytes || bytes->empty()) return violation(at + "/bytes: expected a file in base64");
    return *std::move(bytes);
  }

  Conversation& conversation_;
  Attachments attachments_;
  std::set<std::string, std::less<>> calls_;  // ids so far
};

Result<void> read_tools(const json::object& body, NativeRequest& request) {
  const json::value* config = body.if_contains("toolConfig");
  if (!config) return {};
  Tools& tools = request.conversation.tools;
  for (const json::value& tool : config->get_object().at("tools").get_array()) {
    const json::object& members = tool.get_object();
    if (members.contains("cachePoint")) mark_for_cache(request.conversation, {});
    if (members.contains("systemTool")) return not_supported("systemTool", "Leave it out");
    const json::value* spec = members.if_contains("toolSpec");
    if (!spec) continue;
    const json::object& about = spec->get_object();
    tools.offered.push_back(
        {.name = std::string(text_member(about, "name")),
         .description = std::string(text_member(about, "description")),
         .input_schema = json::to_text(about.at("inputSchema").get_object().at("json"))});
  }
  const json::value* choice = config->get_object().if_contains("toolChoice");
  if (!choice) return {};
  const json::object& chosen = choice->get_object();
  if (chosen.contains("any")) tools.choice = ToolChoice::any;
  if (const json::value* named = chosen.if_contains("tool")) {
    tools.choice = ToolChoice::named;
    tools.named = text_member(named->get_object(), "name");
    if (std::ranges::find(tools.offered, tools.named, &Tool::name) == tools.offered.end()) {
      return violation("#/toolConfig/toolChoice/tool/name: expected the name of one of the tools");
    }
  }
  return {};
}

void read_reasoning(const json::object& members, Reasoning& reasoning) {
  const json::value* config = members.if_contains("reasoningConfig");
  if (!config) return;
  reasoning.wanted = text_member(config->get_object(), "type") == "enabled";
  const std::string_view effort = text_member(config->get_object(), "maxReasoningEffort");
  const auto row = std::ranges::find(effort_rows, effort, &Effort::name);
  reasoning.budget_tokens = row == effort_rows.end() ? std::nullopt : row->budget_tokens;
}

/// Each member that is there replaces what was asked before.
void read_inference(const json::object& config, Conversation& conversation) {
  Sampling& sampling = conversation.sampling;
  for (const std::string_view name : {"max_new_tokens", "maxTokens"}) {
    if (const auto tokens = integer_member(config, name)) sampling.tokens_max = tokens;
  }
  if (const auto number = number_member(config, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(config, "topP")) sampling.top_p = number;
  if (const auto number = integer_member(config, "topK")) sampling.top_k = number;
  if (config.contains("stopSequences")) {
    sampling.stop_sequences = texts_member(config, "stopSequences");
    std::erase(sampling.stop_sequences, "");
  }
  read_reasoning(config, conversation.reasoning);
}

void read_config(const json::object& members, Conversation& conversation) {
  if (const json::value* config = members.if_contains("inferenceConfig")) {
    read_inference(config->get_object(), conversation);
  }
  read_reasoning(members, conversation.reasoning);
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  Reader reader(model, request.conversation);
  CRATON_TRY(reader.read_system(body));
  CRATON_TRY(reader.read_messages(body.at("messages").get_array()));
  CRATON_TRY(read_tools(body, request));
  request.conversation.sampling.tokens_max = model.output_tokens_max;
  read_config(body, request.conversation);
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_config(fields, request.conversation);
  if (const auto top_k = integer_member(fields, "topK")) {
    request.conversation.sampling.top_k = top_k;
  }
  return {};
}

std::string_view stop_reason(StopReason reason) {
  switch (reason) {
    case StopReason::end_turn: return "end_turn";
    case StopReason::stop_sequence: return "stop_sequence";
    case StopReason::tool_use: return "tool_use";
    case StopReason::full_context:
    case StopReason::max_tokens: break;
  }
  return "max_tokens";
}

/// Nova 1 thinks in its text.
constexpr std::string_view thinking_open = "<thinking>";
constexpr std::string_view thinking_close = "</thinking>";

std::string text_json(std::string_view text) {
  std::string out = "{\"text\":";
  append_reply_text(text, out);
  return out + "}";
}

struct BlockWriter {
  bool nova_2;
  std::string& out;

  void operator()(const TextBlock& block) const { out += text_json(block.text); }

  void operator()(const ReasoningBlock& block) const {
    if (nova_2) {
      out += "{\"reasoningContent\":{\"reasoningText\":" + text_json(block.text) + "}}";
    } else {
      out += text_json(std::string(thinking_open) + block.text + std::string(thinking_close));
    }
  }

  void operator()(const ToolUseBlock& block) const {
    out += R"({"toolUse":{"toolUseId":)" +
           json::quote(block.id.empty() ? random_uuid() : block.id) + R"(,"name":)";
    append_reply_text(block.name, out);
    out += ",\"input\":";
    append_tool_input(block.input, out);
    out += "}}";
  }
};

void append_counts(const Usage& usage, bool with_total, std::string& out) {
  const int total = prompt_tokens(usage) + usage.output_tokens;
  out += "{\"inputTokens\":" + std::to_string(usage.input_tokens) +
         ",\"outputTokens\":" + std::to_string(usage.output_tokens);
  if (with_total) out += ",\"totalTokens\":" + std::to_string(total);
  out += ",\"cacheReadInputTokenCount\":" + std::to_string(usage.cache_read_tokens) +
         ",\"cacheWriteInputTokenCount\":" + std::to_string(usage.cache_write_tokens) + "}";
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  std::string out = R"({"output":{"message":{"content":[)";
  for (const AnswerBlock& block : answer.content) {
    if (&block != answer.content.data()) out += ',';
    std::visit(BlockWriter{is_nova_2(context.model), out}, block);
  }
  out += R"(],"role":"assistant"}},"stopReason":")";
  out += stop_reason(answer.stop_reason);
  out += "\",\"usage\":";
  append_counts(answer.usage, true, out);
  return out + "}";
}

/// Events of ConverseStream, each an object with one member. Texts have no contentBlockStart.
class Stream : public StreamWriter {
 public:
  explicit Stream(const StreamContext& context) : nova_2_(is_nova_2(context.model)) {}

  void write(const Event& event, int, std::vector<std::string>& pieces) override {
    pieces_ = &pieces;
    std::visit([this](const auto& step) { add(step); }, event);
  }

 private:
  enum class Open { nothing, text, thoughts, call };

  void piece(std::string_view name, const std::string& members) {
    pieces_->push_back("{\"" + std::string(name) + "\":{" + members + "}}");
  }

  std::string index() const { return "\"contentBlockIndex\":" + std::to_string(index_); }

  void delta(const std::string& json) {
    piece("contentBlockDelta", "\"delta\":" + json + "," + index());
  }

  void close() {
    if (open_ == Open::nothing) return;
    if (open_ == Open::thoughts && !nova_2_) delta(text_json(thinking_close));
    piece("contentBlockStop", index());
    ++index_;
    open_ = Open::nothing;
  }

  /// True when the block was not open yet.
  bool open(Open kind) {
    if (open_ == kind) return false;
    close();
    open_ = kind;
    return true;
  }

  void add(const MessageStart&) { piece("messageStart", R"("role":"assistant")"); }

  void add(const TextDelta& text) {
    if (text.text.empty()) return;
    open(Open::text);
    delta(text_json(text.text));
  }

  void add(const ReasoningDelta& thought) {
    if (thought.text.empty()) return;
    const bool first = open(Open::thoughts);
    if (nova_2_) return delta("{\"reasoningContent\":" + text_json(thought.text) + "}");
    delta(text_json((first ? std::string(thinking_open) : "") + thought.text));
  }

  void add(const ToolUseStart& call) {
    close();
    open_ = Open::call;
    std::string start = R"("start":{"toolUse":{"toolUseId":)" +
                        json::quote(call.id.empty() ? random_uuid() : call.id) + R"(,"name":)";
    append_reply_text(call.name, start);
    piece("contentBlockStart", start + "}}," + index());
    has_input_ = false;
  }

  void add(const ToolInputDelta& input) {
    if (input.json.empty()) return;
    has_input_ = true;
    std::string json = "{\"toolUse\":{\"input\":";
    append_reply_text(input.json, json);
    delta(json + "}}");
  }

  void add(const ToolUseStop&) {
    if (!has_input_) add(ToolInputDelta{"{}"});
    close();
  }

  void add(const MessageStop& stop) {
    close();
    piece("messageStop", "\"stopReason\":" + json::quote(stop_reason(stop.reason)));
  }

  void add(const Usage& usage) {
    std::string members = "\"usage\":";
    append_counts(usage, false, members);
    piece("metadata", members + R"(,"metrics":{},"trace":{})");
  }

  void add(const Failure&) {}  // never comes here

  const bool nova_2_;
  std::vector<std::string>* pieces_ = nullptr;  // of the event being written
  Open open_ = Open::nothing;
  int index_ = 0;
  bool has_input_ = false;  // the open call has
};

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return std::make_unique<Stream>(context);
}

Error too_long(const InputTooLong&) {
  return refused(
      "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the "
      "input to try again.");
}

}  // namespace

constinit const Family amazon_nova{
    .name = "amazon.nova",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
