// Mistral chat completion, in the shape of 24.02: Large and Small, sent messages.
//
// Source: docs.aws.amazon.com "Mistral AI chat completion".
#include <boost/json.hpp>
#include <string>
#include <utility>

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

std::string render(const ReplyContext& context) {
  std::string out = R"({"choices":[{"index":0,"message":{"role":"assistant","content":)";
  append_reply_text(context.answer().text(), out);
  out += "},\"stop_reason\":\"";
  out += mistral_stop_reason(context.answer().stop_reason);
  return out + "\"}]}";
}

}  // namespace

constinit const Family mistral_messages{
    .name = "mistral.messages",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .too_long = mistral_too_long,
};

}  // namespace craton::families
