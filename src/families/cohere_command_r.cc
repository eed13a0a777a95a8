// Cohere Command R and R+: a message with history, documents and tools.
//
// Source: docs.aws.amazon.com "Cohere Command R and Command R+ models"; docs.cohere.com "Chat
// (v1)".
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

#include "base/ids.h"
#include "families/cohere.h"
#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"cohere.command-r-"};

constexpr Property call_properties[] = {{"name", &text_schema, Presence::required},
                                        {"parameters", &free_object_schema},
                                        {"generation_id", &any_schema}};
constexpr Schema call_schema{
    .type = JsonType::object, .properties = call_properties, .nulls_are_absent = true};
constexpr Schema calls_schema{.type = JsonType::array, .items = &call_schema};
constexpr Schema objects_schema{.type = JsonType::array, .items = &free_object_schema};
constexpr Property result_properties[] = {{"call", &call_schema, Presence::required},
                                          {"outputs", &objects_schema, Presence::required}};
constexpr Schema result_schema{.type = JsonType::object, .properties = result_properties};
constexpr Schema results_schema{.type = JsonType::array, .items = &result_schema};

constexpr std::string_view roles[] = {"USER", "CHATBOT", "SYSTEM", "TOOL"};
constexpr Schema role_schema{.type = JsonType::string, .values = roles};
constexpr Property entry_properties[] = {{"role", &role_schema, Presence::required},
                                         {"message", &text_schema},
                                         {"tool_calls", &calls_schema},
                                         {"tool_results", &results_schema},
                                         {"generation_id", &any_schema}};
constexpr Schema entry_schema{
    .type = JsonType::object, .properties = entry_properties, .nulls_are_absent = true};
constexpr Schema history_schema{.type = JsonType::array, .items = &entry_schema};

constexpr Property tool_properties[] = {{"name", &prompt_schema, Presence::required},
                                        {"description", &text_schema, Presence::required},
                                        {"parameter_definitions", &free_object_schema}};
constexpr Schema tool_schema{
    .type = JsonType::object, .properties = tool_properties, .nulls_are_absent = true};
constexpr Schema tools_schema{.type = JsonType::array, .size_max = 256, .items = &tool_schema};

constexpr Schema tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{4000}};
constexpr Schema p_schema{.type = JsonType::number, .minimum = Bound{0.01}, .maximum = Bound{0.99}};
constexpr Schema k_schema{.type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{500}};
constexpr Schema integer_schema{.type = JsonType::integer};
constexpr std::string_view truncations[] = {"OFF", "AUTO_PRESERVE_ORDER"};
constexpr Schema truncation_schema{.type = JsonType::string, .values = truncations};

// What Converse's callers may add to a request, too.
constexpr std::array options{
    Property{"documents", &objects_schema},
    Property{"search_queries_only", &boolean_schema},
    Property{"max_tokens", &tokens_schema},
    Property{"temperature", &unit_schema},
    Property{"p", &p_schema},
    Property{"k", &k_schema},
    Property{"prompt_truncation", &truncation_schema},
    Property{"frequency_penalty", &unit_schema},
    Property{"presence_penalty", &unit_schema},
    Property{"seed", &integer_schema},
    Property{"stop_sequences", &texts_schema},
};
constexpr std::array rest{
    Property{"message", &text_schema, Presence::required},
    Property{"chat_history", &history_schema},
    Property{"preamble", &text_schema},
    Property{"return_prompt", &boolean_schema},
    Property{"raw_prompting", &boolean_schema},
    Property{"tools", &tools_schema},
    Property{"tool_results", &results_schema},
};
constexpr auto properties = [] {
  std::array<Property, rest.size() + options.size()> all{};
  std::ranges::copy(options, std::ranges::copy(rest, all.begin()).out);
  return all;
}();
constexpr Schema schema{
    .type = JsonType::object, .properties = properties, .nulls_are_absent = true};
constexpr Schema additional_schema{
    .type = JsonType::object, .properties = options, .nulls_are_absent = true};

// Python's names of types.

struct TypeName {
  std::string_view python;
  std::string_view json;  ///< "": anything
};
constexpr std::array type_names{
    TypeName{"str", "string"},      TypeName{"string", "string"},   TypeName{"int", "integer"},
    TypeName{"integer", "integer"}, TypeName{"float", "number"},    TypeName{"number", "number"},
    TypeName{"bool", "boolean"},    TypeName{"boolean", "boolean"}, TypeName{"list", "array"},
    TypeName{"array", "array"},     TypeName{"dict", "object"},     TypeName{"object", "object"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Members of a JSON Schema: "List[str]" gives `"type":"array","items":{"type":"string"}`.
std::string type_members(std::string_view type, int depth = 0) {
  constexpr int depth_max = 8;
  const std::size_t bracket = type.find('[');
  const std::string name = lower(trimmed(type.substr(0, bracket)));
  const auto row = std::ranges::find(type_names, name, &TypeName::python);
  if (row == type_names.end() || depth == depth_max) return "";
  std::string members = "\"type\":" + json::quote(row->json);
  if (row->json == "array" && bracket != type.npos && type.ends_with(']')) {
    const std::string_view inner = type.substr(bracket + 1, type.size() - bracket - 2);
    members += ",\"items\":{" + type_members(inner, depth + 1) + "}";
  }
  return members;
}

Result<std::string> input_schema_of(const json::object& tool, const std::string& at) {
  std::string properties_text;
  std::string required;
  if (const json::value* definitions = tool.if_contains("parameter_definitions")) {
    for (const auto& definition : definitions->get_object()) {
      const json::object* about = definition.value().if_object();
      const json::value* type = about ? about->if_contains("type") : nullptr;
      if (!type || !type->is_string()) {
        return violation(at + "/parameter_definitions: expected an object with a type in each");
      }
      std::string members = type_members(trimmed(type->get_string()));
      if (const json::value* text = about->if_contains("description"); text && text->is_string()) {
        members += (members.empty() ? "" : ",");
        members += "\"description\":" + json::quote(text->get_string());
      }
      if (!properties_text.empty()) properties_text += ',';
      properties_text += json::quote(definition.key()) + ":{" + members + "}";
      if (!asks(*about, "required")) continue;
      if (!required.empty()) required += ',';
      required += json::quote(definition.key());
    }
  }
  return R"({"type":"object","properties":{)" + properties_text + "},\"required\":[" + required +
         "]}";
}

Result<void> read_tools(const json::object& body, Tools& tools) {
  const json::value* offered = body.if_contains("tools");
  if (!offered) return {};
  for (std::size_t i = 0; const json::value& tool : offered->get_array()) {
    const json::object& members = tool.get_object();
    CRATON_TRY_ASSIGN(std::string input_schema,
                      input_schema_of(members, "#/tools/" + std::to_string(i++)));
    tools.offered.push_back({.name = std::string(text_member(members, "name")),
                             .description = std::string(text_member(members, "description")),
                             .input_schema = std::move(input_schema)});
  }
  return {};
}

/// Reads the turns. Command R's calls have no ids, so they are numbered.
class Reader {
 public:
  explicit Reader(Conversation& conversation) : conversation_(conversation) {}

  void read_entry(const json::object& entry) {
    const std::string_view role = text_member(entry, "role");
    std::string text(text_member(entry, "message"));
    if (role == "SYSTEM") {
      if (!text.empty()) conversation_.system.push_back({std::move(text)});
      return;
    }
    std::vector<ContentBlock> content;
    if (!text.empty()) content.emplace_back(TextBlock{std::move(text)});
    if (role == "CHATBOT") {
      if (const json::value* calls = entry.if_contains("tool_calls")) {
        for (const json::value& call : calls->get_array()) add_call(call.get_object(), content);
      }
      return add_turn(Role::assistant, std::move(content));
    }
    if (const json::value* results = entry.if_contains("tool_results")) {
      add_results(results->get_array());
    }
    add_turn(Role::user, std::move(content));
  }

  void add_message(std::string text) {
    if (!text.empty()) add_turn(Role::user, {TextBlock{std::move(text)}});
  }

  /// Results, behind the calls that they are of when the history has none open.
  void add_results(const json::array& results) {
    if (results.empty()) return;
    if (open_.empty()) {
      std::vector<ContentBlock> calls;
      for (const json::value& result : results) {
        add_call(result.get_object().at("call").get_object(), calls);
      }
      add_turn(Role::assistant, std::move(calls));
    }
    std::vector<ContentBlock> content;
    for (std::size_t i = 0; i < results.size(); ++i) {
      // The nth result is of the nth call; what is too many joins the last.
      ToolResultBlock block{.tool_use_id = open_[std::min(i, open_.size() - 1)], .content = {}};
      for (const json::value& output : results[i].get_object().at("outputs").get_array()) {
        block.content.emplace_back(TextBlock{json::to_text(output)});
      }
      content.emplace_back(std::move(block));
    }
    open_.clear();
    add_turn(Role::user, std::move(content));
  }

 private:
  void add_call(const json::object& call, std::vector<ContentBlock>& content) {
    const json::value* parameters = call.if_contains("parameters");
    const std::string& id = open_.emplace_back("call_" + std::to_string(count_++));
    content.emplace_back(ToolUseBlock{.id = id,
                                      .name = std::string(text_member(call, "name")),
                                      .input = parameters ? json::to_text(*parameters) : "{}"});
  }

  void add_turn(Role role, std::vector<ContentBlock> content) {
    if (!content.empty()) merge_turn(conversation_.turns, {role, std::move(content)});
  }

  Conversation& conversation_;
  std::size_t count_ = 0;          // of calls
  std::vector<std::string> open_;  // ids of calls without results
};

/// The names of a document's members that the model is not to see.
std::set<std::string_view> hidden_of(const json::object& document) {
  std::set<std::string_view> hidden{"_excludes", "id"};
  const json::value* excludes = document.if_contains("_excludes");
  if (!excludes || !excludes->is_array()) return hidden;
  for (const json::value& name : excludes->get_array()) {
    if (name.is_string()) hidden.emplace(name.get_string());
  }
  return hidden;
}

/// Documents to answer from, as the model's own template shows them.
void read_documents(const json::object& body, Conversation& conversation) {
  const json::value* documents = body.if_contains("documents");
  if (!documents || documents->get_array().empty()) return;
  std::string text = "Answer from these documents:\n<results>";
  for (std::size_t i = 0; const json::value& document : documents->get_array()) {
    text += "\nDocument: " + std::to_string(i++) + "\n";
    const std::set<std::string_view> hidden = hidden_of(document.get_object());
    for (const auto& member : document.get_object()) {
      if (hidden.contains(member.key())) continue;
      const auto* value = member.value().if_string();
      text += std::string(member.key()) + ": " +
              (value ? std::string(*value) : json::to_text(member.value())) + "\n";
    }
  }
  conversation.system.push_back({text + "</results>"});
}

/// Each member that is there replaces what was asked before.
void read_options(const json::object& body, NativeRequest& request) {
  Conversation& conversation = request.conversation;
  Sampling& sampling = conversation.sampling;
  const auto read = [&body](std::string_view name, std::optional<double>& into) {
    if (const auto number = number_member(body, name)) into = number;
  };
  read("temperature", sampling.temperature);
  read("p", sampling.top_p);
  read("frequency_penalty", sampling.frequency_penalty);
  read("presence_penalty", sampling.presence_penalty);
  if (const auto tokens = integer_member(body, "max_tokens")) sampling.tokens_max = tokens;
  if (const auto k = integer_member(body, "k")) sampling.top_k = k;
  if (const auto seed = seed_member(body, "seed")) sampling.seed = seed;
  if (body.contains("stop_sequences")) {
    sampling.stop_sequences = texts_member(body, "stop_sequences");
    std::erase(sampling.stop_sequences, "");
  }
  read_documents(body, conversation);
  if (text_member(body, "prompt_truncation") == "AUTO_PRESERVE_ORDER") {
    request.ignored_fields.emplace_back("prompt_truncation");
  }
}

Result<void> refuse_unsupported(const json::object& body) {
  if (asks(body, "search_queries_only")) {
    return not_supported("search_queries_only", "Leave it out");
  }
  return {};
}

Result<void> read_raw(const json::object& body, Conversation& conversation) {
  if (asks(body, "chat_history") || asks(body, "preamble") || asks(body, "tool_results")) {
    return violation("#/raw_prompting: expected message alone, the whole prompt in its template");
  }
  PromptTurns read = read_command_r_marked(text_member(body, "message"));
  conversation.system = std::move(read.system);
  conversation.turns = std::move(read.turns);
  return {};
}

Result<void> read_turns(const json::object& body, Conversation& conversation) {
  const std::string_view preamble = text_member(body, "preamble");
  if (!preamble.empty()) conversation.system.push_back({std::string(preamble)});
  Reader reader(conversation);
  if (const json::value* history = body.if_contains("chat_history")) {
    for (const json::value& entry : history->get_array()) reader.read_entry(entry.get_object());
  }
  reader.add_message(std::string(text_member(body, "message")));
  if (const json::value* results = body.if_contains("tool_results")) {
    if (!asks(body, "tools")) return violation("#: required key [tools] not found");
    reader.add_results(results->get_array());
  }
  if (conversation.turns.empty() || conversation.turns.back().role != Role::user) {
    return violation("#/message: expected minLength: 1, actual: 0");
  }
  return {};
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(json::object body, read_body(text, schema, model));
  CRATON_TRY(refuse_unsupported(body));
  NativeRequest request;
  Conversation& conversation = request.conversation;
  CRATON_TRY(asks(body, "raw_prompting") ? read_raw(body, conversation)
                                         : read_turns(body, conversation));
  CRATON_TRY(read_tools(body, conversation.tools));
  read_options(body, request);
  if (asks(body, "return_prompt")) request.ignored_fields.emplace_back("return_prompt");
  request.echo = text_member(body, "message");
  if (json::value* history = body.if_contains("chat_history")) {
    request.body["chat_history"] = std::move(*history);
  }
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY_ASSIGN(const json::object members,
                    read_body(json::to_text(fields), additional_schema, model));
  CRATON_TRY(refuse_unsupported(members));
  read_options(members, request);
  return {};
}

std::string_view finish_reason(StopReason reason) {
  return reason == StopReason::max_tokens ? "MAX_TOKENS" : "COMPLETE";
}

/// `[{"name":…,"parameters":{…}}]`; empty without calls.
std::string calls_of(const Answer& answer) {
  std::string out;
  for (const AnswerBlock& block : answer.content) {
    const auto* call = std::get_if<ToolUseBlock>(&block);
    if (!call) continue;
    out += out.empty() ? "[" : ",";
    out += "{\"name\":";
    append_reply_text(call->name, out);
    out += ",\"parameters\":";
    append_tool_input(call->input, out);
    out += '}';
  }
  return out.empty() ? out : out + "]";
}

/// The history that came, and this turn.
void append_history(const NativeRequest& request, std::string_view text, const std::string& calls,
                    std::string& out) {
  out += '[';
  if (const json::value* history = request.body.if_contains("chat_history")) {
    for (const json::value& entry : history->get_array()) out += json::to_text(entry) + ",";
  }
  if (!request.echo.empty()) {
    out += R"({"role":"USER","message":)";
    append_reply_text(request.echo, out);
    out += "},";
  }
  out += R"({"role":"CHATBOT","message":)";
  append_reply_text(text, out);
  if (!calls.empty()) out += ",\"tool_calls\":" + calls;
  out += "}]";
}

std::string reply(const NativeRequest& request, const Answer& answer, std::string_view request_id,
                  const std::string& generation_id) {
  const std::string text = answer.text();
  const std::string calls = calls_of(answer);
  std::string out =
      "{\"response_id\":\"" + random_uuid().substr(0, 8) + '/' + std::string(request_id);
  out += "\",\"text\":";
  append_reply_text(text, out);
  out += ",\"generation_id\":\"" + generation_id + "\",\"chat_history\":";
  append_history(request, text, calls, out);
  out += ",\"finish_reason\":" + json::quote(finish_reason(answer.stop_reason));
  if (!calls.empty()) out += ",\"tool_calls\":" + calls;
  return out + "}";
}

std::string render(const ReplyContext& context) {
  return reply(context.request, context.answer(), context.request_id, random_uuid());
}

/// Pieces with the text, then the calls, then the whole reply.
class Stream : public StreamWriter {
 public:
  explicit Stream(const StreamContext& context)
      : request_(context.request), request_id_(context.request_id), generation_id_(random_uuid()) {}

  void write(const Event& event, int, std::vector<std::string>& pieces) override {
    answer_.add(event);
    if (std::holds_alternative<MessageStart>(event)) {
      pieces.push_back(piece("stream-start", ",\"generation_id\":\"" + generation_id_ + "\""));
    } else if (const auto* said = std::get_if<TextDelta>(&event)) {
      if (said->text.empty()) return;
      std::string text = ",\"text\":";
      append_reply_text(said->text, text);
      pieces.push_back(piece("text-generation", text));
    } else if (std::holds_alternative<Usage>(event)) {
      finish(pieces);
    }
  }

 private:
  static std::string piece(std::string_view type, const std::string& members) {
    return R"({"is_finished":false,"event_type":")" + std::string(type) + '"' + members + "}";
  }

  void finish(std::vector<std::string>& pieces) {
    tl::expected<Answer, Failure> answer = answer_.take();
    if (!answer) return;  // never comes here
    if (const std::string calls = calls_of(*answer); !calls.empty()) {
      pieces.push_back(piece("tool-calls-generation", ",\"tool_calls\":" + calls));
    }
    pieces.push_back(R"({"is_finished":true,"event_type":"stream-end","response":)" +
                     reply(request_, *answer, request_id_, generation_id_) +
                     ",\"finish_reason\":" + json::quote(finish_reason(answer->stop_reason)) + "}");
  }

  const NativeRequest& request_;
  const std::string request_id_;
  const std::string generation_id_;
  AnswerBuilder answer_;
};

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return std::make_unique<Stream>(context);
}

}  // namespace

constinit const Family cohere_command_r{
    .name = "cohere.command-r",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = cohere_too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
