#include "families/openai_messages.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/utf8.h"
#include "conversation/openai_words.h"
#include "families/attachments.h"
#include "families/data_uri.h"
#include "families/members.h"
#include "families/prompt_turns.h"

namespace craton::families {
namespace {

// Optional members come as null from OpenAI's own clients, which also send an answer's message back
// with all its members.

constexpr Property text_part_properties[] = {{"type", &text_schema, Presence::required},
                                             {"text", &text_schema, Presence::required},
                                             {"cache_control", &any_schema}};
constexpr Schema text_part_schema{
    .type = JsonType::object, .properties = text_part_properties, .nulls_are_absent = true};

constexpr Property url_properties[] = {
    {"url", &text_schema, Presence::required}, {"detail", &text_schema}, {"format", &text_schema}};
constexpr Schema url_object_schema{
    .type = JsonType::object, .properties = url_properties, .nulls_are_absent = true};
constexpr const Schema* url_forms[] = {&text_schema, &url_object_schema};
constexpr Schema url_schema{.alternatives = url_forms};
constexpr Property image_part_properties[] = {{"type", &text_schema, Presence::required},
                                              {"image_url", &url_schema, Presence::required},
                                              {"cache_control", &any_schema}};
constexpr Schema image_part_schema{
    .type = JsonType::object, .properties = image_part_properties, .nulls_are_absent = true};

constexpr Property refusal_part_properties[] = {{"type", &text_schema, Presence::required},
                                                {"refusal", &text_schema, Presence::required}};
constexpr Schema refusal_part_schema{.type = JsonType::object,
                                     .properties = refusal_part_properties};

constexpr Variant part_variants[] = {
    {"text", &text_part_schema},          {"image_url", &image_part_schema},
    {"refusal", &refusal_part_schema},    {"thinking", &free_object_schema},
    {"input_audio", &free_object_schema}, {"file", &free_object_schema},
};
constexpr Schema part_schema{.type = JsonType::object, .variants = part_variants};
constexpr Schema parts_schema{.type = JsonType::array, .items = &part_schema};
constexpr const Schema* content_forms[] = {&text_schema, &parts_schema};
constexpr Schema content_schema{.alternatives = content_forms};

constexpr Property called_properties[] = {{"name", &text_schema, Presence::required},
                                          {"arguments", &text_schema, Presence::required}};
constexpr Schema called_schema{.type = JsonType::object, .properties = called_properties};
constexpr std::string_view function_only[] = {"function"};
constexpr Schema function_type_schema{.type = JsonType::string, .values = function_only};
constexpr Property call_properties[] = {{"id", &text_schema, Presence::required},
                                        {"type", &function_type_schema},
                                        {"function", &called_schema, Presence::required},
                                        {"index", &any_schema}};
constexpr Schema call_schema{
    .type = JsonType::object, .properties = call_properties, .nulls_are_absent = true};
constexpr Schema calls_schema{.type = JsonType::array, .items = &call_schema};

constexpr std::string_view roles[] = {"system", "developer", "user", "assistant", "tool"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property message_properties[] = {
    {"role", &role_schema, Presence::required},
    {"content", &content_schema},
    {"name", &text_schema},
    {"tool_calls", &calls_schema},
    {"tool_call_id", &text_schema},
    {"reasoning_content", &text_schema},
    {"reasoning", &text_schema},
    {"refusal", &text_schema},
    {"prefix", &boolean_schema},
    {"annotations", &any_schema},
    {"audio", &any_schema},
    {"function_call", &any_schema},
    {"cache_control", &any_schema},
};
constexpr Schema message_schema{
    .type = JsonType::object, .properties = message_properties, .nulls_are_absent = true};

bool is_tool_name(std::string_view name) {
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(digits) == name.npos;
}
constexpr Pattern tool_name_pattern{"^[a-zA-Z0-9_-]{1,64}$", is_tool_name};
constexpr Property function_properties[] = {{"name", &openai_tool_name_schema, Presence::required},
                                            {"description", &text_schema},
                                            {"parameters", &free_object_schema},
                                            {"strict", &boolean_schema}};
constexpr Schema function_schema{
    .type = JsonType::object, .properties = function_properties, .nulls_are_absent = true};
constexpr Property tool_properties[] = {{"type", &function_type_schema, Presence::required},
                                        {"function", &function_schema, Presence::required},
                                        {"cache_control", &any_schema}};
constexpr Schema tool_schema{.type = JsonType::object, .properties = tool_properties};

constexpr std::string_view choices[] = {"none", "auto", "required", "any"};
constexpr Schema choice_word_schema{.type = JsonType::string, .values = choices};
constexpr Property chosen_properties[] = {{"name", &text_schema, Presence::required}};
constexpr Schema chosen_schema{.type = JsonType::object, .properties = chosen_properties};
constexpr Property choice_properties[] = {{"type", &function_type_schema, Presence::required},
                                          {"function", &chosen_schema, Presence::required}};
constexpr Schema choice_object_schema{.type = JsonType::object, .properties = choice_properties};
constexpr const Schema* choice_forms[] = {&choice_word_schema, &choice_object_schema};

constexpr Property type_properties[] = {{"type", &text_schema, Presence::required}};
constexpr Schema type_only_schema{.type = JsonType::object, .properties = type_properties};
constexpr Property json_schema_properties[] = {
    {"name", &openai_tool_name_schema, Presence::required},
    {"description", &text_schema},
    {"schema", &free_object_schema},
    {"strict", &boolean_schema}};
constexpr Schema json_schema_schema{
    .type = JsonType::object, .properties = json_schema_properties, .nulls_are_absent = true};
constexpr Property json_format_properties[] = {
    {"type", &text_schema, Presence::required},
    {"json_schema", &json_schema_schema, Presence::required}};
constexpr Schema json_format_schema{.type = JsonType::object, .properties = json_format_properties};
constexpr Variant format_variants[] = {{"text", &type_only_schema},
                                       {"json_object", &type_only_schema},
                                       {"json_schema", &json_format_schema}};

constexpr auto efforts = [] {
  std::array<std::string_view, openai::efforts.size()> all{};
  std::ranges::transform(openai::efforts, all.begin(), &openai::Effort::name);
  return all;
}();
Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

std::string at_message(std::size_t index, std::string_view member) {
  return "#/messages/" + std::to_string(index) + '/' + std::string(member);
}

bool has_calls(const Turn& turn) {
  return std::ranges::any_of(turn.content, [](const ContentBlock& block) {
    return std::holds_alternative<ToolUseBlock>(block);
  });
}

/// Reads messages one after the other.
class Reader {
 public:
  Reader(const ThoughtTags& tags, NativeRequest& request)
      : tags_(tags), request_(request), conversation_(request.conversation) {}

  Result<void> read(const json::object& message, std::size_t index) {
    index_ = index;
    for (const std::string_view name : {"cache_control", "audio", "function_call"}) {
      note(message, name);
    }
    const std::string_view role = text_member(message, "role");
    if (role == "user") return read_user(message);
    if (role == "assistant") return read_assistant(message);
    if (role == "tool") return read_tool(message);
    return read_system(message);
  }

  Result<void> finish() {
    std::vector<Turn>& turns = conversation_.turns;
    if (turns.empty() && !conversation_.system.empty()) {
      Turn question{Role::user, {}};
      for (TextBlock& text : std::exchange(conversation_.system, {})) {
        if (!question.content.empty()) question.content.emplace_back(TextBlock{"\n\n"});
        question.content.emplace_back(std::move(text));
      }
      turns.push_back(std::move(question));
    }
    if (turns.empty()) return violation("#/messages: no message has content");
    CRATON_TRY(attachments_.finish());
    if (turns.back().role == Role::assistant && has_calls(turns.back())) {
      return refused(
          "An assistant message with 'tool_calls' must be followed by tool messages responding to "
          "each 'tool_call_id'.");
    }
    return {};
  }

 private:
  void note(const json::object& members, std::string_view name) {
    std::vector<std::string>& noted = request_.ignored_fields;
    if (asks(members, name) && std::ranges::find(noted, name) == noted.end()) {
      noted.emplace_back(name);
    }
  }

  void add_turn(Role role, std::vector<ContentBlock> content) {
    if (!content.empty()) merge_turn(conversation_.turns, {role, std::move(content)});
  }

  Result<void> read_system(const json::object& message) {
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> content, content_of(message));
    for (ContentBlock& block : content) {
      auto* text = std::get_if<TextBlock>(&block);
      if (!text) return violation(at_message(index_, "content") + ": expected text only");
      conversation_.system.push_back(std::move(*text));
    }
    return {};
  }

  Result<void> read_user(const json::object& message) {
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> content, content_of(message));
    add_turn(Role::user, std::move(content));
    return {};
  }

  Result<void> read_assistant(const json::object& message) {
    std::vector<ContentBlock> content;
    for (const std::string_view name : {"reasoning_content", "reasoning"}) {
      const std::string_view thoughts = text_member(message, name);
      if (thoughts.empty()) continue;
      content.emplace_back(ReasoningBlock{.text = std::string(thoughts)});
      break;
    }
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> said, content_of(message));
    for (ContentBlock& block : said) {
      if (std::holds_alternative<ImageBlock>(block)) {
        return violation(at_message(index_, "content") + ": images are the user's to send");
      }
      add_said(std::move(block), content);
    }
    CRATON_TRY(add_calls(message, content));
    add_turn(Role::assistant, std::move(content));
    return {};
  }

  /// A block of the assistant's; thoughts between tags at its begin are told apart.
  void add_said(ContentBlock block, std::vector<ContentBlock>& content) {
    auto* text = std::get_if<TextBlock>(&block);
    if (text && !tags_.open.empty() && text->text.starts_with(tags_.open)) {
      const std::string_view whole = text->text;
      const std::size_t close = whole.find(tags_.close);
      if (close != whole.npos) {
        const std::size_t begin = tags_.open.size();
        content.emplace_back(
            ReasoningBlock{.text = std::string(whole.substr(begin, close - begin))});
        text->text = trimmed(whole.substr(close + tags_.close.size()));
        if (text->text.empty()) return;
      }
    }
    content.push_back(std::move(block));
  }

  Result<void> add_calls(const json::object& message, std::vector<ContentBlock>& content) {
    const json::value* calls = message.if_contains("tool_calls");
    if (!calls) return {};
    for (const json::value& call : calls->get_array()) {
      const json::object& members = call.get_object();
      const json::object& function = members.at("function").get_object();
      std::string input(text_member(function, "arguments"));
      if (trimmed(input).empty()) input = "{}";
      const Result<json::value> read = json::parse(input);
      if (!read || !read->is_object()) {
        const auto at = static_cast<std::size_t>(&call - calls->get_array().data());
        return violation(at_message(index_, "tool_calls/" + std::to_string(at)) +
                         "/function/arguments: expected the text of a JSON object");
      }
      const std::string_view id = text_member(members, "id");
      calls_.emplace(id);
      content.emplace_back(ToolUseBlock{.id = std::string(id),
                                        .name = std::string(text_member(function, "name")),
                                        .input = std::move(input)});
    }
    return {};
  }

  Result<void> read_tool(const json::object& message) {
    const std::string_view id = text_member(message, "tool_call_id");
    if (!calls_.contains(id)) {
      return refused(
          "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'.");
    }
    ToolResultBlock result{.tool_use_id = std::string(id), .content = {}};
    CRATON_TRY_ASSIGN(std::vector<ContentBlock> content, content_of(message));
    for (ContentBlock& block : content) {
      if (auto* text = std::get_if<TextBlock>(&block))
        result.content.emplace_back(std::move(*text));
      if (auto* image = std::get_if<ImageBlock>(&block)) {
        result.content.emplace_back(std::move(*image));
      }
    }
    std::vector<ContentBlock> blocks;
    blocks.emplace_back(std::move(result));
    add_turn(Role::user, std::move(blocks));
    return {};
  }

  /// The member `content`: texts that say something, and images.
  Result<std::vector<ContentBlock>> content_of(const json::object& message) {
    std::vector<ContentBlock> content;
    const json::value* member = message.if_contains("content");
    if (!member) return content;
    if (const auto* text = member->if_string()) {
      if (!text->empty()) content.emplace_back(TextBlock{std::string(*text)});
      return content;
    }
    const json::array& parts = member->get_array();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      CRATON_TRY(add_part(parts[i].get_object(), i, content));
    }
    return content;
  }

  Result<void> add_part(const json::object& part, std::size_t index,
                        std::vector<ContentBlock>& content) {
    note(part, "cache_control");
    const std::string_view type = text_member(part, "type");
    if (type == "text" || type == "refusal") {
      const std::string_view text = text_member(part, type);
      if (!text.empty()) content.emplace_back(TextBlock{std::string(text)});
      return {};
    }
    if (type == "thinking") return {};  // Magistral's earlier thoughts; models do without
    if (type == "image_url") {
      const json::value& url = part.at("image_url");
      const std::string_view uri = url.is_string() ? std::string_view(url.get_string())
                                                   : text_member(url.get_object(), "url");
      const std::string place =
          at_message(index_, "content/" + std::to_string(index) + "/image_url/url");
      CRATON_TRY_ASSIGN(ImageBlock image, image_of_data_uri(uri, place));
      CRATON_TRY(attachments_.add(image, place));
      content.emplace_back(std::move(image));
      return {};
    }
    return not_supported(std::string(type) + " content parts", "Send text and images only");
  }

  const ThoughtTags& tags_;
  NativeRequest& request_;
  Conversation& conversation_;
  Attachments attachments_{openai_attachments, {}};
  std::size_t index_ = 0;                     // of the message being read
  std::set<std::string, std::less<>> calls_;  // ids so far
};

static_assert(openai::choice_words.size() == std::size(choices),
              "a row for each word that is valid");

Result<void> read_choice(const json::value& choice, Tools& tools) {
  if (const auto* word = choice.if_string()) {
    tools.choice =
        std::ranges::find(openai::choice_words, std::string_view(*word), &openai::ChoiceWord::word)
            ->choice;
  } else {
    tools.choice = ToolChoice::named;
    const json::object& members = choice.get_object();
    const json::value* function = members.if_contains("function");
    tools.named = text_member(function ? function->get_object() : members, "name");
  }
  const bool calls_one = tools.choice == ToolChoice::any || tools.choice == ToolChoice::named;
  if (tools.offered.empty()) {
    tools.choice = ToolChoice::automatic;
    if (calls_one) return refused("'tool_choice' is only allowed when 'tools' are specified.");
  }
  if (tools.choice == ToolChoice::named &&
      std::ranges::find(tools.offered, tools.named, &Tool::name) == tools.offered.end()) {
    return refused("Tool choice '" + std::string(first_characters(tools.named, repeated_text_max)) +
                   "' not found in 'tools' parameter.");
  }
  return {};
}

}  // namespace

constinit const Schema openai_tool_name_schema{.type = JsonType::string,
                                               .pattern = &tool_name_pattern};
constinit const Schema openai_effort_schema{.type = JsonType::string, .values = efforts};
// As long as an ARN may be.
constinit const Schema openai_model_schema{
    .type = JsonType::string, .size_min = 1, .size_max = 2048};
constinit const Schema openai_messages_schema{
    .type = JsonType::array, .size_min = 1, .items = &message_schema};
constinit const Schema openai_tools_schema{
    .type = JsonType::array, .size_max = 128, .items = &tool_schema};
constinit const Schema openai_tool_choice_schema{.alternatives = choice_forms};
constinit const Schema openai_response_format_schema{.type = JsonType::object,
                                                     .variants = format_variants};

Result<void> read_openai_messages(const json::object& body, const ThoughtTags& tags,
                                  NativeRequest& request) {
  Reader reader(tags, request);
  const json::array& messages = body.at("messages").get_array();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CRATON_TRY(reader.read(messages[i].get_object(), i));
  }
  return reader.finish();
}

std::string openai_parameters(const json::object& function, std::string_view name) {
  const json::value* parameters = function.if_contains(name);
  return parameters ? json::to_text(*parameters) : R"({"type":"object","properties":{}})";
}

Result<void> read_openai_tools(const json::object& body, Conversation& conversation) {
  Tools& tools = conversation.tools;
  if (const json::value* offered = body.if_contains("tools")) {
    for (const json::value& tool : offered->get_array()) {
      const json::object& function = tool.get_object().at("function").get_object();
      tools.offered.push_back({.name = std::string(text_member(function, "name")),
                               .description = std::string(text_member(function, "description")),
                               .input_schema = openai_parameters(function, "parameters")});
    }
  }
  return read_openai_choice(body, tools);
}

Result<void> read_openai_choice(const json::object& body, Tools& tools) {
  const json::value* choice = body.if_contains("tool_choice");
  return choice ? read_choice(*choice, tools) : Result<void>();
}

void read_openai_effort(const json::object& members, std::string_view name, Reasoning& reasoning) {
  const json::value* effort = members.if_contains(name);
  if (!effort) return;
  const auto row = std::ranges::find(openai::efforts, std::string_view(effort->get_string()),
                                     &openai::Effort::name);
  reasoning = {row->wanted, row->budget_tokens};
}

void read_openai_response_format(const json::object& body, Conversation& conversation) {
  const json::value* member = body.if_contains("response_format");
  if (!member) return;
  const json::object& format = member->get_object();
  const std::string_view type = text_member(format, "type");
  if (type == "text") return;
  conversation.format.emplace();
  if (type != "json_schema") return;
  const json::object& json_schema = format.at("json_schema").get_object();
  if (const json::value* schema = json_schema.if_contains("schema")) {
    conversation.format->schema = json::to_text(*schema);
  }
}

void note_unknown_members(const json::object& body, std::span<const Property> properties,
                          NativeRequest& request) {
  constexpr std::size_t members_max = 16;  // a body can hold millions
  constexpr std::size_t name_max = 64;     // bytes
  std::size_t count = 0;
  for (const auto& member : body) {
    const std::string_view key = member.key();
    if (std::ranges::find(properties, key, &Property::name) != properties.end()) continue;
    if (++count > members_max) return;
    request.ignored_fields.emplace_back(first_characters(key, name_max));
  }
}

std::vector<std::string> openai_stops(const json::object& body) {
  const json::value* stop = body.if_contains("stop");
  if (!stop) return {};
  std::vector<std::string> texts;
  if (const auto* text = stop->if_string()) {
    texts.emplace_back(*text);
  } else {
    texts = texts_member(body, "stop");
  }
  std::erase(texts, "");
  return texts;
}

}  // namespace craton::families
