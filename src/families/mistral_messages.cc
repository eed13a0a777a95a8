// Mistral chat completion, in the shape of 24.02: Large and Small, sent messages.
//
// Source: docs.aws.amazon.com "Mistral AI chat completion".
#include <boost/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "families/members.h"
#include "families/mistral.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"mistral.mistral-large-2402",
                                         "mistral.mistral-small-2402"};

constexpr std::string_view roles[] = {"system", "user", "assistant", "tool"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property message_properties[] = {{"role", &role_schema, Presence::required},
                                           {"content", &text_schema},
                                           {"tool_calls", &any_schema},
                                           {"tool_call_id", &text_schema}};
constexpr Schema message_schema{.type = JsonType::object, .properties = message_properties};
constexpr Schema messages_schema{.type = JsonType::array, .size_min = 1, .items = &message_schema};
constexpr std::string_view choices[] = {"auto", "any", "none"};
constexpr Schema tool_choice_schema{.type = JsonType::string, .values = choices};
constexpr Schema array_schema{.type = JsonType::array};

constexpr Property properties[] = {
    {"messages", &messages_schema, Presence::required},
    {"max_tokens", &mistral_tokens_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"tools", &array_schema},
    {"tool_choice", &tool_choice_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

Result<void> read_message(const json::object& message, Conversation& conversation) {
  const std::string_view role = text_member(message, "role");
  if (role == "tool" || asks(message, "tool_calls")) {
    return not_supported("tool calls and results", "Send messages with text only");
  }
  const std::string_view text = text_member(message, "content");
  if (text.empty()) return {};
  if (role == "system") {
    conversation.system.push_back({std::string(text)});
    return {};
  }
  merge_turn(conversation.turns,
             {role == "user" ? Role::user : Role::assistant, {TextBlock{std::string(text)}}});
  return {};
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  if (asks(body, "tools")) {
    return not_supported("tools", "Send the request without tools and tool_choice");
  }
  NativeRequest request;
  for (const json::value& message : body.at("messages").get_array()) {
    CRATON_TRY(read_message(message.get_object(), request.conversation));
  }
  if (request.conversation.turns.empty()) {
    return Error{ErrorCode::validation,
                 "Malformed input request: #/messages: no message of the user or the assistant has "
                 "content, please reformat your input and try again."};
  }
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max =
      integer_member(body, "max_tokens").value_or(mistral_tokens_default(model.model_id));
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  return request;
}

void append_tool_call(const ToolUseBlock& call, std::string& out) {
  out += R"({"id":")" + random_alphanumeric(22) + R"(","function":{"name":)";
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
      calls_.push_back({.id = {}, .name = start->name, .input = {}});
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
};

}  // namespace craton::families
