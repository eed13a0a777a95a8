// Anthropic Messages: every Claude from 3 on, and Claude 2 and Instant when they are sent messages.
//
// Source: docs.aws.amazon.com "Anthropic Claude Messages API"; sentences from recorded refusals.
#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "families/anthropic_model.h"
#include "families/anthropic_reply.h"
#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"anthropic.claude"};

constexpr std::string_view versions[] = {"bedrock-2023-05-31"};
constexpr Schema version_schema{.type = JsonType::string, .values = versions};

constexpr Property cache_control_properties[] = {{"type", &text_schema, Presence::required},
                                                 {"ttl", &text_schema}};
constexpr Schema cache_control_schema{.type = JsonType::object,
                                      .properties = cache_control_properties};

constexpr Property text_block_properties[] = {{"type", &text_schema, Presence::required},
                                              {"text", &text_schema, Presence::required},
                                              {"cache_control", &cache_control_schema},
                                              {"citations", &any_schema}};
constexpr Schema text_block_schema{.type = JsonType::object, .properties = text_block_properties};

constexpr Variant system_variants[] = {{"text", &text_block_schema}};
constexpr Schema system_block_schema{.type = JsonType::object, .variants = system_variants};
constexpr Schema system_blocks_schema{.type = JsonType::array, .items = &system_block_schema};
constexpr const Schema* system_forms[] = {&text_schema, &system_blocks_schema};
constexpr Schema system_schema{.alternatives = system_forms};

// Kinds of blocks that are valid and not read yet keep whatever members they have.
constexpr Variant block_variants[] = {
    {"text", &text_block_schema},
    {"image", &free_object_schema},
    {"document", &free_object_schema},
    {"tool_use", &free_object_schema},
    {"tool_result", &free_object_schema},
    {"thinking", &free_object_schema},
    {"redacted_thinking", &free_object_schema},
    {"search_result", &free_object_schema},
};
constexpr Schema block_schema{.type = JsonType::object, .variants = block_variants};
constexpr Schema blocks_schema{.type = JsonType::array, .items = &block_schema};
constexpr const Schema* content_forms[] = {&text_schema, &blocks_schema};
constexpr Schema content_schema{.alternatives = content_forms};

constexpr std::string_view roles[] = {"user", "assistant"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property message_properties[] = {{"role", &role_schema, Presence::required},
                                           {"content", &content_schema, Presence::required}};
constexpr Schema message_schema{.type = JsonType::object, .properties = message_properties};
constexpr Schema messages_schema{.type = JsonType::array, .items = &message_schema};

constexpr Schema max_tokens_schema{.type = JsonType::integer, .minimum = Bound{1}};
constexpr Schema top_k_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{500}};
constexpr Schema stop_sequences_schema{
    .type = JsonType::array, .size_max = 8191, .items = &text_schema};
constexpr Property metadata_properties[] = {{"user_id", &any_schema}};
constexpr Schema metadata_schema{.type = JsonType::object, .properties = metadata_properties};
constexpr Schema array_schema{.type = JsonType::array};

constexpr Property properties[] = {
    {"anthropic_version", &version_schema},
    {"max_tokens", &max_tokens_schema, Presence::required},
    {"messages", &messages_schema, Presence::required},
    {"system", &system_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"top_k", &top_k_schema},
    {"stop_sequences", &stop_sequences_schema},
    {"tools", &array_schema},
    {"tool_choice", &free_object_schema},
    {"thinking", &free_object_schema},
    {"output_config", &free_object_schema},
    {"anthropic_beta", &texts_schema},
    {"metadata", &metadata_schema},
    {"cache_control", &cache_control_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

bool is_blank(std::string_view text) { return trimmed(text).empty(); }

/// The members that need what no engine here has.
Result<void> refuse_unsupported(const json::object& body) {
  if (asks(body, "tools")) {
    return not_supported("tools", "Send the request without tools and tool_choice");
  }
  if (asks(body, "tool_choice")) return not_supported("tool_choice", "Leave it out");
  if (const json::value* thinking = body.if_contains("thinking")) {
    if (text_member(thinking->get_object(), "type") != "disabled") {
      return not_supported("thinking", "Leave it out, or set its type to disabled");
    }
  }
  if (const json::value* output = body.if_contains("output_config")) {
    if (asks(output->get_object(), "format")) {
      return not_supported("output_config.format", "Leave it out");
    }
  }
  return {};
}

Result<void> check_versions(const json::object& body, const ModelContext& model) {
  if (!body.contains("anthropic_version")) return refused("anthropic_version: Field required");
  const auto asked = integer_member(body, "max_tokens");
  if (model.output_tokens_max && *asked > *model.output_tokens_max) {
    return refused("max_tokens: " + std::to_string(*asked) + " > " +
                   std::to_string(*model.output_tokens_max) +
                   ", which is the maximum allowed number of output tokens for " +
                   anthropic_name(model.model_id));
  }
  if (takes_one_of_temperature_and_top_p(model.model_id) && body.contains("temperature") &&
      body.contains("top_p")) {
    return refused(
        "`temperature` and `top_p` cannot both be specified for this model. Please use "
        "only one.");
  }
  return {};
}

/// Reads the parts of a body that hold text, noting what in them is not honoured.
class Reader {
 public:
  Result<void> read_system(const json::object& body) {
    const json::value* system = body.if_contains("system");
    if (!system) return {};
    if (const auto* text = system->if_string()) {
      if (!is_blank(*text)) request_.conversation.system.push_back({std::string(*text)});
      return {};
    }
    for (const json::value& block : system->get_array()) {
      CRATON_TRY_ASSIGN(std::string text, text_of(block.get_object(), "system"));
      request_.conversation.system.push_back({std::move(text)});
    }
    return {};
  }

  Result<void> read_messages(const json::array& messages) {
    if (messages.empty()) return refused("messages: at least one message is required");
    for (const json::value& message : messages) {
      const bool is_last = &message == &messages.back();
      CRATON_TRY(read_message(message.get_object(), is_last,
                              static_cast<std::size_t>(&message - messages.data())));
    }
    std::vector<Turn>& turns = request_.conversation.turns;
    if (turns.empty()) return refused("messages: at least one message is required");
    return {};
  }

  Result<void> read_sampling(const json::object& body) {
    Sampling& sampling = request_.conversation.sampling;
    sampling.tokens_max = integer_member(body, "max_tokens");
    sampling.temperature = number_member(body, "temperature");
    sampling.top_p = number_member(body, "top_p");
    sampling.top_k = integer_member(body, "top_k");
    sampling.stop_sequences = texts_member(body, "stop_sequences");
    if (std::ranges::any_of(sampling.stop_sequences, is_blank)) {
      return refused("stop_sequences: each stop sequence must contain non-whitespace");
    }
    return {};
  }

  void note(const json::object& members, std::string_view name) {
    std::vector<std::string>& noted = request_.ignored_fields;
    if (asks(members, name) && std::ranges::find(noted, name) == noted.end()) {
      noted.emplace_back(name);
    }
  }

  NativeRequest take() { return std::move(request_); }

 private:
  Result<std::string> text_of(const json::object& block, std::string_view at) {
    const std::string_view text = text_member(block, "text");
    if (text.empty()) return refused(std::string(at) + ": text content blocks must be non-empty");
    if (is_blank(text)) {
      return refused(std::string(at) + ": text content blocks must contain non-whitespace text");
    }
    if (asks(block, "citations")) return not_supported("citations", "Leave them out");
    note(block, "cache_control");
    return std::string(text);
  }

  Result<std::vector<ContentBlock>> blocks_of(const json::array& blocks) {
    std::vector<ContentBlock> content;
    for (const json::value& block : blocks) {
      const std::string_view type = text_member(block.get_object(), "type");
      if (type != "text") {
        return not_supported(std::string(type) + " content blocks", "Send text blocks only");
      }
      CRATON_TRY_ASSIGN(std::string text, text_of(block.get_object(), "messages"));
      content.push_back(TextBlock{std::move(text)});
    }
    return content;
  }

  Result<void> read_message(const json::object& message, bool is_last, std::size_t index) {
    const bool is_user = text_member(message, "role") == "user";
    const json::value& content = message.at("content");
    Turn turn{is_user ? Role::user : Role::assistant, {}};
    if (const auto* text = content.if_string()) {
      if (!text->empty()) turn.content.push_back(TextBlock{std::string(*text)});
    } else {
      CRATON_TRY_ASSIGN(turn.content, blocks_of(content.get_array()));
    }
    if (turn.content.empty()) {
      if (is_last && !is_user) return {};  // a prefill of nothing
      return refused("messages." + std::to_string(index) +
                     ": all messages must have non-empty content except for the optional final "
                     "assistant message");
    }
    const std::string text = craton::text_of(turn);
    if (is_last && !is_user && text.find_last_not_of(" \t\r\n") + 1 != text.size()) {
      return refused("messages: final assistant content cannot end with trailing whitespace");
    }
    merge_turn(request_.conversation.turns, std::move(turn));
    return {};
  }

  NativeRequest request_;
};

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  CRATON_TRY(refuse_unsupported(body));
  CRATON_TRY(check_versions(body, model));
  Reader reader;
  CRATON_TRY(reader.read_system(body));
  CRATON_TRY(reader.read_messages(body.at("messages").get_array()));
  CRATON_TRY(reader.read_sampling(body));
  for (const std::string_view name :
       {"output_config", "anthropic_beta", "metadata", "cache_control"}) {
    reader.note(body, name);
  }
  return reader.take();
}

}  // namespace

constinit const Family anthropic_messages{
    .name = "anthropic.messages",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = anthropic_reply,
    .stream = anthropic_stream,
    .too_long = anthropic_too_long,
};

}  // namespace craton::families
