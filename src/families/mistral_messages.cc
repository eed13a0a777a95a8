// Mistral chat completion, in the shape of 24.02: Large and Small, sent messages.
//
// Source: docs.aws.amazon.com "Mistral AI chat completion".
#include <boost/json.hpp>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/utf8.h"
#include "families/members.h"
#include "families/mistral.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"mistral.mistral-large-2402",
                                         "mistral.mistral-small-2402"};

constexpr std::string_view function_type[] = {"function"};
constexpr Schema function_type_schema{.type = JsonType::string, .values = function_type};

constexpr Property call_function_properties[] = {{"name", &prompt_schema, Presence::required},
                                                 {"arguments", &text_schema, Presence::required}};
constexpr Schema call_function_schema{.type = JsonType::object,
                                      .properties = call_function_properties};
constexpr Property call_properties[] = {{"id", &prompt_schema, Presence::required},
                                        {"type", &function_type_schema},
                                        {"function", &call_function_schema, Presence::required}};
constexpr Schema call_schema{.type = JsonType::object, .properties = call_properties};
constexpr Schema calls_schema{.type = JsonType::array, .items = &call_schema};

constexpr std::string_view roles[] = {"system", "user", "assistant", "tool"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property message_properties[] = {{"role", &role_schema, Presence::required},
                                           {"content", &text_schema},
                                           {"tool_calls", &calls_schema},
                                           {"tool_call_id", &text_schema}};
constexpr Schema message_schema{
    .type = JsonType::object, .properties = message_properties, .nulls_are_absent = true};
constexpr Schema messages_schema{.type = JsonType::array, .size_min = 1, .items = &message_schema};

constexpr Property function_properties[] = {{"name", &prompt_schema, Presence::required},
                                            {"description", &text_schema},
                                            {"parameters", &free_object_schema}};
constexpr Schema function_schema{.type = JsonType::object, .properties = function_properties};
constexpr Property tool_properties[] = {{"type", &function_type_schema, Presence::required},
                                        {"function", &function_schema, Presence::required}};
constexpr Schema tool_schema{.type = JsonType::object, .properties = tool_properties};
constexpr Schema tools_schema{.type = JsonType::array, .items = &tool_schema};
constexpr std::string_view choices[] = {"auto", "any", "none"};
constexpr Schema tool_choice_schema{.type = JsonType::string, .values = choices};

constexpr Property properties[] = {
    {"messages", &messages_schema, Presence::required},
    {"max_tokens", &mistral_tokens_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"tools", &tools_schema},
    {"tool_choice", &tool_choice_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

// Converse's clients send `top_k` and `stop` along, as for prompts.
constexpr Property additional_properties[] = {
    {"max_tokens", &mistral_tokens_schema}, {"stop", &mistral_stop_schema},
    {"temperature", &unit_schema},          {"top_p", &unit_schema},
    {"top_k", &mistral_top_k_schema},       {"tool_choice", &tool_choice_schema},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

// Mistral's own sentences.
Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

Error unequal_calls() { return refused("Not the same number of function calls and responses"); }

/// Reads messages into turns. Calls are answered by the tool messages right behind them, each once
/// and in any order.
class MessagesReader {
 public:
  explicit MessagesReader(Conversation& conversation) : conversation_(conversation) {}

  Result<void> read(const json::array& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      CRATON_TRY(read_message(messages[i].get_object(), i));
    }
    if (!waiting_.empty()) return unequal_calls();
    if (!conversation_.turns.empty()) return {};
    return violation("#/messages: no message of the user or the assistant has content");
  }

 private:
  Result<void> read_message(const json::object& message, std::size_t index) {
    const std::string_view role = text_member(message, "role");
    if (role == "tool") return read_result(message);
    if (!waiting_.empty()) return unequal_calls();
    const std::string_view text = text_member(message, "content");
    if (role == "system") {
      if (!text.empty()) conversation_.system.push_back({std::string(text)});
      return {};
    }
    Turn turn{role == "user" ? Role::user : Role::assistant, {}};
    if (!text.empty()) turn.content.emplace_back(TextBlock{std::string(text)});
    CRATON_TRY(read_calls(message, index, turn));
    if (!turn.content.empty()) merge_turn(conversation_.turns, std::move(turn));
    return {};
  }

  Result<void> read_calls(const json::object& message, std::size_t index, Turn& turn) {
    const json::value* calls = message.if_contains("tool_calls");
    if (!calls || calls->get_array().empty()) return {};
    const std::string place = "#/messages/" + std::to_string(index) + "/tool_calls";
    if (turn.role == Role::user) {
      return violation(place + ": only messages of the assistant have tool calls");
    }
    for (const json::value& value : calls->get_array()) {
      const json::object& call = value.get_object();
      const json::object& function = call.at("function").get_object();
      const std::string_view arguments = text_member(function, "arguments");
      const Result<json::value> input = json::parse(arguments);
      if (!input || !input->is_object()) {
        return violation(place + "/" + std::to_string(&value - calls->get_array().data()) +
                         "/function/arguments: expected the text of a JSON object");
      }
      const std::string_view id = text_member(call, "id");
      calls_.push_back(id);
      waiting_.insert(id);
      turn.content.emplace_back(ToolUseBlock{
          std::string(id), std::string(text_member(function, "name")), std::string(arguments)});
    }
    return {};
  }

  Result<void> read_result(const json::object& message) {
    if (waiting_.empty()) {
      return conversation_.turns.empty() ? refused("Unexpected role 'tool' as first message")
                                         : unequal_calls();
    }
    const auto call = waiting_.find(answered_call(message));
    if (call == waiting_.end()) {
      const std::string_view id = text_member(message, "tool_call_id");
      return refused("Unexpected tool call id " +
                     std::string(first_characters(id, repeated_text_max)) + " in tool results");
    }
    ToolResultBlock result{std::string(*call), {}, false};
    waiting_.erase(call);
    const std::string_view text = text_member(message, "content");
    if (!text.empty()) result.content.emplace_back(TextBlock{std::string(text)});
    merge_turn(conversation_.turns, {Role::user, {std::move(result)}});
    return {};
  }

  /// The id that the message names. Clients of the first days name none: the next call is meant.
  std::string_view answered_call(const json::object& message) {
    if (message.contains("tool_call_id")) return text_member(message, "tool_call_id");
    while (!waiting_.contains(calls_[next_])) ++next_;
    return calls_[next_];
  }

  Conversation& conversation_;
  std::vector<std::string_view> calls_;  ///< All of them,
  std::size_t next_ = 0;                 ///< of which those before have a result,
  std::set<std::string_view> waiting_;   ///< and these have none so far.
};

void read_choice(const json::object& members, Tools& tools) {
  const std::string_view choice = text_member(members, "tool_choice");
  if (choice == "any") tools.choice = ToolChoice::any;
  if (choice == "none") tools.choice = ToolChoice::none;
}

void read_tools(const json::object& body, Tools& tools) {
  const json::value* offered = body.if_contains("tools");
  if (!offered || offered->get_array().empty()) return;  // a choice among nothing is none
  for (const json::value& tool : offered->get_array()) {
    const json::object& function = tool.at("function").get_object();
    const json::value* parameters = function.if_contains("parameters");
    tools.offered.push_back({std::string(text_member(function, "name")),
                             std::string(text_member(function, "description")),
                             parameters ? json::to_text(*parameters) : R"({"type":"object"})"});
  }
  read_choice(body, tools);
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  Conversation& conversation = request.conversation;
  CRATON_TRY(MessagesReader(conversation).read(body.at("messages").get_array()));
  read_tools(body, conversation.tools);
  conversation.sampling.tokens_max = mistral_tokens_default(model.model_id);
  read_mistral_sampling(body, conversation.sampling);
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_mistral_sampling(fields, request.conversation.sampling);
  if (!request.conversation.tools.offered.empty()) read_choice(fields, request.conversation.tools);
  return {};
}

void append_tool_call(const ToolUseBlock& call, std::string& out) {
  out += R"({"id":)" + json::quote(call.id.empty() ? random_alphanumeric(22) : call.id) +
         R"(,"function":{"name":)";
  append_reply_text(call.name, out);
  out += ",\"arguments\":";
  append_reply_text(call.input, out);
  out += "}}";
}

/// `stop` is nullptr while the answer goes on.
void append_choice(std::string_view text, std::span<const ToolUseBlock> calls,
                   const MessageStop* stop, std::string& out) {
  out += R"({"choices":[{"index":0,"message":{"role":"assistant","content":)";
  append_reply_text(text, out);
  for (const ToolUseBlock& call : calls) {
    out += &call == &calls.front() ? ",\"tool_calls\":[" : ",";
    append_tool_call(call, out);
  }
  out += calls.empty() ? "},\"stop_reason\":" : "]},\"stop_reason\":";
  append_mistral_stop_reason(stop, out);
  out += "}]}";
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  std::vector<ToolUseBlock> calls;
  for (const AnswerBlock& block : answer.content) {
    if (const auto* call = std::get_if<ToolUseBlock>(&block)) calls.push_back(*call);
  }
  const MessageStop stop{answer.stop_reason, {}};
  std::string out;
  append_choice(answer.text(), calls, &stop, out);
  return out;
}

/// Text as it comes; calls are in the last piece, whole.
class ChatStream : public StreamWriter {
 public:
  void write(const Event& event, int /*generation*/, std::vector<std::string>& pieces) override {
    if (const auto* delta = std::get_if<TextDelta>(&event)) {
      if (!delta->text.empty()) append_choice(delta->text, {}, nullptr, pieces.emplace_back());
    } else if (const auto* start = std::get_if<ToolUseStart>(&event)) {
      calls_.push_back({.id = start->id, .name = start->name, .input = {}});
    } else if (const auto* input = std::get_if<ToolInputDelta>(&event)) {
      if (!calls_.empty()) calls_.back().input += input->json;
    } else if (const auto* stop = std::get_if<MessageStop>(&event)) {
      stop_ = *stop;
    } else if (std::holds_alternative<Usage>(event)) {
      append_choice({}, calls_, &stop_, pieces.emplace_back());
    }
  }

 private:
  std::vector<ToolUseBlock> calls_;
  MessageStop stop_;
};

std::unique_ptr<StreamWriter> stream(const StreamContext&) {
  return std::make_unique<ChatStream>();
}

}  // namespace

constinit const Family mistral_messages{
    .name = "mistral.messages",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = mistral_too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
