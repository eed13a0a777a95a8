#include "families/anthropic_content.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/json.h"
#include "families/anthropic_model.h"
#include "families/anthropic_tools.h"
#include "families/members.h"
#include "families/prompt_turns.h"

namespace craton::families {
namespace {

constexpr HasIt has_tools = [](const ModelContext& model) { return takes_tools(model.model_id); };

constexpr Property text_properties[] = {{"type", &text_schema, Presence::required},
                                        {"text", &text_schema, Presence::required},
                                        {"cache_control", &anthropic_cache_control_schema},
                                        {"citations", &any_schema}};
constexpr Schema text_block_schema{.type = JsonType::object, .properties = text_properties};
constexpr Variant text_variants[] = {{"text", &text_block_schema}};
constexpr Schema text_only_schema{.type = JsonType::object, .variants = text_variants};
constexpr Schema text_blocks_schema{.type = JsonType::array, .items = &text_only_schema};
constexpr const Schema* system_forms[] = {&text_schema, &text_blocks_schema};

// Bedrock takes images and files in the body only: no URLs, no file ids.
constexpr Schema data_schema{.type = JsonType::string, .size_min = 1};
constexpr std::string_view image_types[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};
constexpr Schema image_type_schema{.type = JsonType::string, .values = image_types};
constexpr Property image_source_properties[] = {
    {"type", &text_schema, Presence::required},
    {"media_type", &image_type_schema, Presence::required},
    {"data", &data_schema, Presence::required}};
constexpr Schema image_base64_schema{.type = JsonType::object,
                                     .properties = image_source_properties};
constexpr Variant image_sources[] = {{"base64", &image_base64_schema}};
constexpr Schema image_source_schema{.type = JsonType::object, .variants = image_sources};
constexpr Property image_properties[] = {{"type", &text_schema, Presence::required},
                                         {"source", &image_source_schema, Presence::required},
                                         {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema image_schema{.type = JsonType::object, .properties = image_properties};

constexpr std::string_view pdf_type[] = {"application/pdf"};
constexpr Schema pdf_type_schema{.type = JsonType::string, .values = pdf_type};
constexpr std::string_view plain_type[] = {"text/plain"};
constexpr Schema plain_type_schema{.type = JsonType::string, .values = plain_type};
constexpr Property pdf_properties[] = {{"type", &text_schema, Presence::required},
                                       {"media_type", &pdf_type_schema, Presence::required},
                                       {"data", &data_schema, Presence::required}};
constexpr Schema pdf_schema{.type = JsonType::object, .properties = pdf_properties};
constexpr Property plain_properties[] = {{"type", &text_schema, Presence::required},
                                         {"media_type", &plain_type_schema, Presence::required},
                                         {"data", &data_schema, Presence::required}};
constexpr Schema plain_schema{.type = JsonType::object, .properties = plain_properties};
constexpr Variant part_variants[] = {{"text", &text_block_schema}, {"image", &image_schema}};
constexpr Schema part_schema{.type = JsonType::object, .variants = part_variants};
constexpr Schema parts_schema{.type = JsonType::array, .items = &part_schema};
constexpr const Schema* parts_forms[] = {&text_schema, &parts_schema};
constexpr Schema text_or_parts_schema{.alternatives = parts_forms};
constexpr Property content_source_properties[] = {
    {"type", &text_schema, Presence::required},
    {"content", &text_or_parts_schema, Presence::required}};
constexpr Schema content_source_schema{.type = JsonType::object,
                                       .properties = content_source_properties};
constexpr Variant document_sources[] = {
    {"base64", &pdf_schema}, {"text", &plain_schema}, {"content", &content_source_schema}};
constexpr Schema document_source_schema{.type = JsonType::object, .variants = document_sources};
constexpr Property document_properties[] = {{"type", &text_schema, Presence::required},
                                            {"source", &document_source_schema, Presence::required},
                                            {"title", &text_schema},
                                            {"context", &text_schema},
                                            {"citations", &any_schema},
                                            {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema document_schema{
    .type = JsonType::object, .properties = document_properties, .nulls_are_absent = true};

constexpr Property search_properties[] = {{"type", &text_schema, Presence::required},
                                          {"source", &text_schema, Presence::required},
                                          {"title", &text_schema, Presence::required},
                                          {"content", &text_blocks_schema, Presence::required},
                                          {"citations", &any_schema},
                                          {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema search_schema{.type = JsonType::object, .properties = search_properties};

constexpr Pattern id_pattern{"^[a-zA-Z0-9_-]+$", is_anthropic_name};
constexpr Schema id_schema{.type = JsonType::string, .pattern = &id_pattern};
constexpr Property use_properties[] = {{"type", &text_schema, Presence::required},
                                       {"id", &id_schema, Presence::required},
                                       {"name", &prompt_schema, Presence::required},
                                       {"input", &free_object_schema, Presence::required},
                                       {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema use_schema{.type = JsonType::object, .properties = use_properties};

constexpr Variant result_variants[] = {{"text", &text_block_schema},
                                       {"image", &image_schema},
                                       {"document", &document_schema},
                                       {"search_result", &search_schema}};
constexpr Schema result_part_schema{.type = JsonType::object, .variants = result_variants};
constexpr Schema result_parts_schema{.type = JsonType::array, .items = &result_part_schema};
constexpr const Schema* result_forms[] = {&text_schema, &result_parts_schema};
constexpr Schema result_content_schema{.alternatives = result_forms};
constexpr Property result_properties[] = {{"type", &text_schema, Presence::required},
                                          {"tool_use_id", &id_schema, Presence::required},
                                          {"content", &result_content_schema},
                                          {"is_error", &boolean_schema},
                                          {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema result_schema{.type = JsonType::object, .properties = result_properties};

constexpr Property thinking_properties[] = {{"type", &text_schema, Presence::required},
                                            {"thinking", &text_schema, Presence::required},
                                            {"signature", &text_schema, Presence::required}};
constexpr Schema thinking_schema{.type = JsonType::object, .properties = thinking_properties};
constexpr Property redacted_properties[] = {{"type", &text_schema, Presence::required},
                                            {"data", &data_schema, Presence::required}};
constexpr Schema redacted_schema{.type = JsonType::object, .properties = redacted_properties};

constexpr Variant block_variants[] = {
    {"text", &text_block_schema},
    {"image", &image_schema, has_tools},
    {"document", &document_schema, has_tools},
    {"tool_use", &use_schema, has_tools},
    {"tool_result", &result_schema, has_tools},
    {"thinking", &thinking_schema, has_tools},
    {"redacted_thinking", &redacted_schema, has_tools},
    {"search_result", &search_schema, has_tools},
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

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

bool is_blank(std::string_view text) { return trimmed(text).empty(); }

/// Blocks that stand in turns of one role only.
struct BlockRole {
  std::string_view type;
  Role role;
};

constexpr BlockRole block_roles[] = {
    {"image", Role::user},
    {"document", Role::user},
    {"search_result", Role::user},
    {"tool_result", Role::user},
    {"tool_use", Role::assistant},
    {"thinking", Role::assistant},
    {"redacted_thinking", Role::assistant},
};

Result<void> check_role(std::string_view type, Role role, const std::string& at) {
  const auto* row = std::ranges::find(block_roles, type, &BlockRole::type);
  if (row == std::ranges::end(block_roles) || row->role == role) return {};
  return refused(at + ": `" + std::string(type) + "` blocks can only be in `" +
                 (row->role == Role::user ? "user" : "assistant") + "` messages");
}

/// Answers with citations would have to be made by the model; text that once had them has not.
Result<void> refuse_citations(const json::object& block) {
  const json::value* citations = block.if_contains("citations");
  const json::object* wanted = citations ? citations->if_object() : nullptr;
  if (wanted && asks(*wanted, "enabled")) return not_supported("citations", "Leave them out");
  return {};
}

Result<std::string> text_of_block(const json::object& block, std::string_view at) {
  const std::string_view text = text_member(block, "text");
  if (text.empty()) return refused(std::string(at) + ": text content blocks must be non-empty");
  if (is_blank(text)) {
    return refused(std::string(at) + ": text content blocks must contain non-whitespace text");
  }
  CRATON_TRY(refuse_citations(block));
  return std::string(text);
}

Result<ImageBlock> image_of(const json::object& block, const std::string& at,
                            Attachments& attachments) {
  const json::object& source = block.at("source").get_object();
  std::optional<std::string> bytes = base64_bytes(text_member(source, "data"));
  if (!bytes) return refused(at + ".image.source.base64: invalid base64 data");
  std::string_view format = text_member(source, "media_type");
  format.remove_prefix(std::string_view("image/").size());
  ImageBlock image{std::string(format), *std::move(bytes)};
  CRATON_TRY(attachments.add(image, at + ".image"));
  return image;
}

/// A document in parts: its texts are the document, its images stand behind it.
template <class Block>
Result<void> read_parts(const json::value& content, const std::string& at, DocumentBlock& document,
                        std::vector<Block>& images, Attachments& attachments) {
  if (const auto* text = content.if_string()) {
    document.bytes = *text;
    return {};
  }
  for (std::size_t i = 0; const json::value& part : content.get_array()) {
    const json::object& members = part.get_object();
    const std::string place = at + ".document.source.content." + std::to_string(i++);
    if (text_member(members, "type") == "image") {
      CRATON_TRY_ASSIGN(ImageBlock image, image_of(members, place, attachments));
      images.emplace_back(std::move(image));
    } else {
      CRATON_TRY_ASSIGN(const std::string text, text_of_block(members, "messages"));
      document.bytes += (document.bytes.empty() ? "" : "\n") + text;
    }
  }
  return {};
}

template <class Block>
Result<void> read_document(const json::object& block, const std::string& at,
                           std::vector<Block>& content, Attachments& attachments) {
  CRATON_TRY(refuse_citations(block));
  const json::object& source = block.at("source").get_object();
  const std::string_view type = text_member(source, "type");
  DocumentBlock document{.format = "txt",
                         .name = std::string(text_member(block, "title")),
                         .bytes = {},
                         .context = std::string(text_member(block, "context"))};
  std::vector<Block> images;
  if (type == "content") {
    CRATON_TRY(read_parts(source.at("content"), at, document, images, attachments));
  } else if (type == "text") {
    document.bytes = text_member(source, "data");
  } else {
    std::optional<std::string> bytes = base64_bytes(text_member(source, "data"));
    if (!bytes) return refused(at + ".document.source.base64: invalid base64 data");
    document.format = "pdf";
    document.bytes = *std::move(bytes);
  }
  CRATON_TRY(attachments.add(document, at + ".document"));
  content.emplace_back(std::move(document));
  std::ranges::move(images, std::back_inserter(content));
  return {};
}

Result<TextBlock> search_result_of(const json::object& block) {
  CRATON_TRY(refuse_citations(block));
  std::string text = std::string(text_member(block, "title")) + "\n" +
                     std::string(text_member(block, "source")) + "\n";
  for (const json::value& part : block.at("content").get_array()) {
    CRATON_TRY_ASSIGN(const std::string more, text_of_block(part.get_object(), "messages"));
    text += "\n" + more;
  }
  text += "\n\n";
  return TextBlock{std::move(text)};
}

/// What stands in turns and in results alike: text, images, documents, what a search found.
template <class Block>
Result<void> read_plain_block(const json::object& block, const std::string& at,
                              std::vector<Block>& content, Attachments& attachments) {
  const std::string_view type = text_member(block, "type");
  if (type == "document") return read_document(block, at, content, attachments);
  if (type == "image") {
    CRATON_TRY_ASSIGN(ImageBlock image, image_of(block, at, attachments));
    content.emplace_back(std::move(image));
  } else if (type == "search_result") {
    CRATON_TRY_ASSIGN(TextBlock found, search_result_of(block));
    content.emplace_back(std::move(found));
  } else {
    CRATON_TRY_ASSIGN(std::string text, text_of_block(block, "messages"));
    content.emplace_back(TextBlock{std::move(text)});
  }
  return {};
}

}  // namespace

constinit const Schema anthropic_system_schema{.alternatives = system_forms};
constinit const Schema anthropic_messages_schema{.type = JsonType::array, .items = &message_schema};

Result<void> AnthropicContentReader::read_system(const json::value& system) {
  if (const auto* text = system.if_string()) {
    if (!is_blank(*text)) conversation_.system.push_back({std::string(*text)});
    return {};
  }
  for (const json::value& block : system.get_array()) {
    CRATON_TRY_ASSIGN(std::string text, text_of_block(block.get_object(), "system"));
    conversation_.system.push_back({std::move(text)});
  }
  return {};
}

Result<void> AnthropicContentReader::read_messages(const json::array& messages) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CRATON_TRY(read_message(messages[i].get_object(), i, i + 1 == messages.size()));
  }
  CRATON_TRY(calls_.finish());
  CRATON_TRY(attachments_.finish());
  if (conversation_.turns.empty()) return refused("messages: at least one message is required");
  return {};
}

Result<void> AnthropicContentReader::read_message(const json::object& message, std::size_t index,
                                                  bool is_last) {
  const bool is_user = text_member(message, "role") == "user";
  Turn turn{is_user ? Role::user : Role::assistant, {}};
  CRATON_TRY(calls_.begin_message(turn.role, index));
  const json::value& content = message.at("content");
  if (const auto* text = content.if_string()) {
    calls_.add_other();
    if (!text->empty()) turn.content.emplace_back(TextBlock{std::string(*text)});
  } else {
    CRATON_TRY(read_blocks(content.get_array(), turn, index));
  }
  if (turn.content.empty()) {
    if (is_last && !is_user) return {};  // a prefill of nothing
    return refused("messages." + std::to_string(index) +
                   ": all messages must have non-empty content except for the optional final "
                   "assistant message");
  }
  const auto* last = std::get_if<TextBlock>(&turn.content.back());
  if (is_last && !is_user && last &&
      last->text.find_last_not_of(" \t\r\n") + 1 != last->text.size()) {
    return refused("messages: final assistant content cannot end with trailing whitespace");
  }
  merge_turn(conversation_.turns, std::move(turn));
  return {};
}

Result<void> AnthropicContentReader::read_blocks(const json::array& blocks, Turn& turn,
                                                 std::size_t message) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string at = "messages." + std::to_string(message) + ".content." + std::to_string(i);
    const json::object& block = blocks[i].get_object();
    CRATON_TRY(check_role(text_member(block, "type"), turn.role, at));
    CRATON_TRY(read_block(block, turn, at));
  }
  return {};
}

Result<void> AnthropicContentReader::read_block(const json::object& block, Turn& turn,
                                                const std::string& at) {
  const std::string_view type = text_member(block, "type");
  if (type == "tool_result") {
    CRATON_TRY(calls_.add_result(text_member(block, "tool_use_id"), at));
    CRATON_TRY_ASSIGN(ToolResultBlock result, read_result(block, at));
    turn.content.emplace_back(std::move(result));
    return {};
  }
  calls_.add_other();
  if (type == "tool_use") {
    CRATON_TRY(calls_.add_use(text_member(block, "id"), at));
    turn.content.emplace_back(ToolUseBlock{std::string(text_member(block, "id")),
                                           std::string(text_member(block, "name")),
                                           json::to_text(block.at("input"))});
  } else if (type == "thinking") {
    turn.content.emplace_back(ReasoningBlock{std::string(text_member(block, "thinking")),
                                             std::string(text_member(block, "signature")),
                                             {}});
  } else if (type == "redacted_thinking") {
    turn.content.emplace_back(ReasoningBlock{{}, {}, std::string(text_member(block, "data"))});
  } else {
    return read_plain_block(block, at, turn.content, attachments_);
  }
  return {};
}

Result<ToolResultBlock> AnthropicContentReader::read_result(const json::object& block,
                                                            const std::string& at) {
  ToolResultBlock result{
      std::string(text_member(block, "tool_use_id")), {}, asks(block, "is_error")};
  const json::value* content = block.if_contains("content");
  if (!content) return result;
  if (const auto* text = content->if_string()) {
    if (!text->empty()) result.content.emplace_back(TextBlock{std::string(*text)});
    return result;
  }
  for (std::size_t i = 0; const json::value& part : content->get_array()) {
    const std::string place = at + ".tool_result.content." + std::to_string(i++);
    CRATON_TRY(read_plain_block(part.get_object(), place, result.content, attachments_));
  }
  return result;
}

}  // namespace craton::families
