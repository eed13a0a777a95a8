// OpenAI's responses: the endpoint whose input is a list of items and whose answer is another.
//
// Nothing is kept between calls: a body that builds on an earlier response is refused as OpenAI
// refuses one whose response is gone.
// Source: platform.openai.com "Create a model response".
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/utf8.h"
#include "families/attachments.h"
#include "families/data_uri.h"
#include "families/members.h"
#include "families/openai.h"
#include "families/openai_messages.h"
#include "families/openai_responses_reply.h"
#include "families/prompt_turns.h"
#include "families/schema.h"

namespace craton::families {
namespace {

// Items come back as they were sent, with whatever members OpenAI's client knows of them.

constexpr Schema loose(std::span<const Property> properties) {
  return {.type = JsonType::object,
          .properties = properties,
          .unknown_keys = UnknownKeys::permitted,
          .nulls_are_absent = true};
}

constexpr Property text_part_properties[] = {{"text", &text_schema, Presence::required}};
constexpr Schema text_part_schema = loose(text_part_properties);
constexpr Property refusal_part_properties[] = {{"refusal", &text_schema, Presence::required}};
constexpr Schema refusal_part_schema = loose(refusal_part_properties);
constexpr Property image_part_properties[] = {{"image_url", &text_schema},
                                              {"file_id", &text_schema}};
constexpr Schema image_part_schema = loose(image_part_properties);
constexpr Variant part_variants[] = {
    {"input_text", &text_part_schema},   {"output_text", &text_part_schema},
    {"text", &text_part_schema},         {"reasoning_text", &text_part_schema},
    {"refusal", &refusal_part_schema},   {"input_image", &image_part_schema},
    {"input_file", &free_object_schema}, {"input_audio", &free_object_schema},
};
constexpr Schema part_schema{.type = JsonType::object, .variants = part_variants};
constexpr Schema parts_schema{.type = JsonType::array, .items = &part_schema};
constexpr const Schema* content_forms[] = {&text_schema, &parts_schema};
constexpr Schema content_schema{.alternatives = content_forms};

constexpr std::string_view roles[] = {"user", "assistant", "system", "developer"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property message_properties[] = {{"role", &role_schema, Presence::required},
                                           {"content", &content_schema, Presence::required}};
constexpr Schema message_schema = loose(message_properties);
constexpr Property call_properties[] = {{"call_id", &text_schema, Presence::required},
                                        {"name", &text_schema, Presence::required},
                                        {"arguments", &text_schema, Presence::required}};
constexpr Schema call_schema = loose(call_properties);
constexpr Property output_properties[] = {{"call_id", &text_schema, Presence::required},
                                          {"output", &content_schema, Presence::required}};
constexpr Schema output_schema = loose(output_properties);
constexpr Property reasoning_item_properties[] = {{"content", &parts_schema}};
constexpr Schema reasoning_item_schema = loose(reasoning_item_properties);
constexpr Variant item_variants[] = {
    {"message", &message_schema},
    {"function_call", &call_schema},
    {"function_call_output", &output_schema},
    {"reasoning", &reasoning_item_schema},
    {"item_reference", &free_object_schema},
};
constexpr Schema item_schema{
    .type = JsonType::object, .variants = item_variants, .variant_default = "message"};
constexpr Schema items_schema{.type = JsonType::array, .size_min = 1, .items = &item_schema};
constexpr const Schema* input_forms[] = {&prompt_schema, &items_schema};
constexpr Schema input_schema{.alternatives = input_forms};

constexpr Property function_properties[] = {{"name", &openai_tool_name_schema, Presence::required},
                                            {"description", &text_schema},
                                            {"parameters", &free_object_schema}};
constexpr Schema function_schema = loose(function_properties);
constexpr Variant tool_variants[] = {{"function", &function_schema}};
constexpr Schema tool_schema{.type = JsonType::object, .variants = tool_variants};
constexpr Schema tools_schema{.type = JsonType::array, .size_max = 128, .items = &tool_schema};

constexpr std::string_view choices[] = {"none", "auto", "required"};
constexpr Schema choice_word_schema{.type = JsonType::string, .values = choices};
constexpr Property named_properties[] = {{"type", &text_schema, Presence::required},
                                         {"name", &text_schema, Presence::required}};
constexpr Schema named_schema{.type = JsonType::object, .properties = named_properties};
constexpr Variant choice_variants[] = {{"function", &named_schema}};
constexpr Schema choice_object_schema{.type = JsonType::object, .variants = choice_variants};
constexpr const Schema* choice_forms[] = {&choice_word_schema, &choice_object_schema};
constexpr Schema choice_schema{.alternatives = choice_forms};

constexpr Property json_format_properties[] = {
    {"name", &openai_tool_name_schema, Presence::required},
    {"schema", &free_object_schema, Presence::required}};
constexpr Schema json_format_schema = loose(json_format_properties);
constexpr Variant format_variants[] = {{"text", &free_object_schema},
                                       {"json_object", &free_object_schema},
                                       {"json_schema", &json_format_schema}};
constexpr Schema format_schema{.type = JsonType::object, .variants = format_variants};
constexpr Property text_config_properties[] = {{"format", &format_schema},
                                               {"verbosity", &text_schema}};
constexpr Schema text_config_schema = loose(text_config_properties);
constexpr Property reasoning_properties[] = {{"effort", &openai_effort_schema}};
constexpr Schema reasoning_schema = loose(reasoning_properties);

constexpr Schema tokens_schema{.type = JsonType::integer, .minimum = Bound{1}};
constexpr Schema temperature_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{2}};
constexpr Schema integer_schema{.type = JsonType::integer};

constexpr Property properties[] = {
    {"model", &openai_model_schema, Presence::required},
    {"input", &input_schema, Presence::required},
    {"instructions", &text_schema},
    {"tools", &tools_schema},
    {"tool_choice", &choice_schema},
    {"parallel_tool_calls", &boolean_schema},
    {"text", &text_config_schema},
    {"reasoning", &reasoning_schema},
    {"max_output_tokens", &tokens_schema},
    {"temperature", &temperature_schema},
    {"top_p", &unit_schema},
    {"previous_response_id", &text_schema},
    {"conversation", &any_schema},
    {"background", &boolean_schema},
    {"prompt", &free_object_schema},
    {"store", &boolean_schema},
    {"stream", &boolean_schema},
    {"metadata", &free_object_schema},
    {"user", &text_schema},
    {"truncation", &text_schema},
    {"include", &texts_schema},
    {"max_tool_calls", &integer_schema},
    {"top_logprobs", &integer_schema},
    {"stream_options", &free_object_schema},
    {"service_tier", &text_schema},
    {"safety_identifier", &text_schema},
    {"prompt_cache_key", &text_schema},
    {"prompt_cache_retention", &text_schema},
};
constexpr Schema schema = loose(properties);

// What has no effect and may be taken to have one.
constexpr std::string_view without_effect[] = {"store", "include", "max_tool_calls",
                                               "top_logprobs"};

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

/// As much of the caller's own text as a refusal repeats.
std::string shown(std::string_view text) {
  return std::string(first_characters(text, repeated_text_max));
}

Result<void> refuse_unsupported(const json::object& body) {
  const std::string_view previous = text_member(body, "previous_response_id");
  if (!previous.empty()) {
    return Error{ErrorCode::validation,
                 "Previous response with id '" + shown(previous) + "' not found.",
                 "previous_response_not_found"};
  }
  if (asks(body, "conversation")) {
    return not_supported("conversation", "Send the conversation's items as input");
  }
  if (asks(body, "background")) return not_supported("background", "Leave it out");
  if (asks(body, "prompt")) return not_supported("prompt", "Send instructions and input");
  return {};
}

/// Reads items one after the other.
class Reader {
 public:
  explicit Reader(Conversation& conversation) : conversation_(conversation) {}

  Result<void> read(const json::object& item, std::size_t index) {
    at_ = "#/input/" + std::to_string(index);
    const std::string_view type = item.contains("type") ? text_member(item, "type") : "message";
    if (type == "message") return read_message(item);
    if (type == "function_call") return read_call(item);
    if (type == "function_call_output") return read_output(item);
    if (type == "reasoning") return read_reasoning(item);
    const json::value* id = item.if_contains("id");
    return refused("Item with id '" +
                   (id && id->is_string() ? shown(id->get_string()) : std::string()) +
                   "' not found. Items are not kept; send the item itself.");
  }

  Result<void> finish() {
    if (conversation_.turns.empty()) return violation("#/input: no item has content");
    CRATON_TRY(attachments_.finish());
    if (!open_.empty()) {
      return refused("No tool output found for function call " + shown(*open_.begin()) + ".");
    }
    return {};
  }

 private:
  void add(Role role, std::vector<ContentBlock> content) {
    if (!content.empty()) merge_turn(conversation_.turns, {role, std::move(content)});
  }

  Result<void> read_message(const json::object& item) {
    const std::string_view role = text_member(item, "role");
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> content, content_of(item.at("content")));
    if (role == "user") {
      add(Role::user, std::move(content));
      return {};
    }
    const bool has_image = std::ranges::any_of(content, [](const ContentBlock& block) {
      return std::holds_alternative<ImageBlock>(block);
    });
    if (has_image) return violation(at_ + "/content: images are the user's to send");
    if (role == "assistant") {
      add(Role::assistant, std::move(content));
      return {};
    }
    for (ContentBlock& block : content) {
      if (auto* text = std::get_if<TextBlock>(&block)) {
        conversation_.system.push_back(std::move(*text));
      }
    }
    return {};
  }

  Result<void> read_call(const json::object& item) {
    std::string input(text_member(item, "arguments"));
    if (trimmed(input).empty()) input = "{}";
    const Result<json::value> read = json::parse(input);
    if (!read || !read->is_object()) {
      return violation(at_ + "/arguments: expected the text of a JSON object");
    }
    const std::string id(text_member(item, "call_id"));
    open_.insert(id);
    calls_.insert(id);
    std::vector<ContentBlock> content;
    content.emplace_back(ToolUseBlock{
        .id = id, .name = std::string(text_member(item, "name")), .input = std::move(input)});
    add(Role::assistant, std::move(content));
    return {};
  }

  Result<void> read_output(const json::object& item) {
    ToolResultBlock result{.tool_use_id = std::string(text_member(item, "call_id")), .content = {}};
    if (!calls_.contains(result.tool_use_id)) {
      return refused("No tool call found for function call output with call_id " +
                     shown(result.tool_use_id) + ".");
    }
    open_.erase(result.tool_use_id);
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> content, content_of(item.at("output")));
    for (ContentBlock& block : content) {
      if (auto* text = std::get_if<TextBlock>(&block))
        result.content.emplace_back(std::move(*text));
      if (auto* image = std::get_if<ImageBlock>(&block)) {
        result.content.emplace_back(std::move(*image));
      }
    }
    std::vector<ContentBlock> blocks;
    blocks.emplace_back(std::move(result));
    add(Role::user, std::move(blocks));
    return {};
  }

  Result<void> read_reasoning(const json::object& item) {
    const json::value* parts = item.if_contains("content");
    if (!parts) return {};  // a summary or a seal: nothing to think on
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> content, content_of(*parts));
    ReasoningBlock thoughts;
    for (const ContentBlock& block : content) {
      if (const auto* text = std::get_if<TextBlock>(&block)) thoughts.text += text->text;
    }
    if (thoughts.text.empty()) return {};
    std::vector<ContentBlock> blocks;
    blocks.emplace_back(std::move(thoughts));
    add(Role::assistant, std::move(blocks));
    return {};
  }

  /// Texts that say something, and images.
  Result<std::vector<ContentBlock>> content_of(const json::value& value) {
    std::vector<ContentBlock> content;
    if (const auto* text = value.if_string()) {
      if (!text->empty()) content.emplace_back(TextBlock{std::string(*text)});
      return content;
    }
    for (std::size_t i = 0; const json::value& part : value.get_array()) {
      CRATON_TRY(add_part(part.get_object(), i++, content));
    }
    return content;
  }

  Result<void> add_part(const json::object& part, std::size_t index,
                        std::vector<ContentBlock>& content) {
    const std::string_view type = text_member(part, "type");
    if (type == "input_file" || type == "input_audio" || part.contains("file_id")) {
      return not_supported(std::string(type) + " parts that are files", "Send texts and images");
    }
    if (type == "input_image") {
      const std::string place = at_ + "/content/" + std::to_string(index) + "/image_url";
      CRATON_TRY_ASSIGN(ImageBlock image, image_of_data_uri(text_member(part, "image_url"), place));
      CRATON_TRY(attachments_.add(image, place));
      content.emplace_back(std::move(image));
      return {};
    }
    const std::string_view text = text_member(part, type == "refusal" ? "refusal" : "text");
    if (!text.empty()) content.emplace_back(TextBlock{std::string(text)});
    return {};
  }

  Conversation& conversation_;
  Attachments attachments_{responses_attachments, {}};
  std::string at_;               // the item being read
  std::set<std::string> calls_;  // ids so far
  std::set<std::string> open_;   // those without output
};

Result<void> read_input(const json::object& body, Conversation& conversation) {
  const std::string_view instructions = text_member(body, "instructions");
  if (!instructions.empty()) conversation.system.push_back({std::string(instructions)});
  const json::value& input = body.at("input");
  if (const auto* text = input.if_string()) {
    conversation.turns.push_back({Role::user, {TextBlock{std::string(*text)}}});
    return {};
  }
  Reader reader(conversation);
  for (std::size_t i = 0; const json::value& item : input.get_array()) {
    CRATON_TRY(reader.read(item.get_object(), i++));
  }
  return reader.finish();
}

void read_offered(const json::object& body, Tools& tools) {
  const json::value* offered = body.if_contains("tools");
  if (!offered) return;
  for (const json::value& tool : offered->get_array()) {
    const json::object& function = tool.get_object();
    tools.offered.push_back({.name = std::string(text_member(function, "name")),
                             .description = std::string(text_member(function, "description")),
                             .input_schema = openai_parameters(function, "parameters")});
  }
}

void read_format(const json::object& body, Conversation& conversation) {
  const json::value* text = body.if_contains("text");
  const json::value* format = text ? text->get_object().if_contains("format") : nullptr;
  if (!format) return;
  const json::object& members = format->get_object();
  const std::string_view type = text_member(members, "type");
  if (type == "text") return;
  conversation.format.emplace();
  if (type == "json_schema") conversation.format->schema = json::to_text(members.at("schema"));
}

void note_ignored(const json::object& body, NativeRequest& request) {
  for (const std::string_view name : without_effect) {
    if (asks(body, name)) request.ignored_fields.emplace_back(name);
  }
  if (text_member(body, "truncation") == "auto") request.ignored_fields.emplace_back("truncation");
}

/// The members that the reply repeats.
void keep_for_reply(const json::object& body, NativeRequest& request) {
  if (const json::value* model = body.if_contains("model")) request.body["model"] = *model;
  for (const RepeatedMember& member : repeated_members) {
    if (const json::value* value = body.if_contains(member.name)) {
      request.body[member.name] = *value;
    }
  }
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  CRATON_TRY(refuse_unsupported(body));
  NativeRequest request;
  Conversation& conversation = request.conversation;
  conversation.caching = true;  // unasked, as OpenAI's servers do it
  CRATON_TRY(read_input(body, conversation));
  read_offered(body, conversation.tools);
  CRATON_TRY(read_openai_choice(body, conversation.tools));
  if (const json::value* parallel = body.if_contains("parallel_tool_calls")) {
    conversation.tools.parallel = parallel->get_bool();
  }
  read_format(body, conversation);
  if (const json::value* reasoning = body.if_contains("reasoning")) {
    read_openai_effort(reasoning->get_object(), "effort", conversation.reasoning);
  }
  Sampling& sampling = conversation.sampling;
  sampling.tokens_max = integer_member(body, "max_output_tokens");
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  if (const json::value* stream = body.if_contains("stream")) request.streamed = stream->get_bool();
  note_ignored(body, request);
  note_unknown_members(body, properties, request);
  keep_for_reply(body, request);
  return request;
}

}  // namespace

constinit const Family openai_responses{
    .name = "openai.responses",
    .id_prefixes = {},
    .shape = BodyShape::any,
    .parse = parse,
    .render = responses_reply,
    .stream = responses_stream,
    .too_long = openai_too_long,
    .apply_additional = nullptr,
};

}  // namespace craton::families
