// Anthropic Messages: every Claude from 3 on, and Claude 2 and Instant when they are sent messages.
//
// Source: docs.aws.amazon.com "Anthropic Claude Messages API"; sentences from recorded refusals.
#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "families/anthropic_content.h"
#include "families/anthropic_model.h"
#include "families/anthropic_reply.h"
#include "families/anthropic_tools.h"
#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"anthropic.claude"};

constexpr Schema max_tokens_schema{.type = JsonType::integer, .minimum = Bound{1}};
constexpr Schema top_k_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{500}};
constexpr Schema stop_sequences_schema{
    .type = JsonType::array, .size_max = 8191, .items = &text_schema};
constexpr Property metadata_properties[] = {{"user_id", &any_schema}};
constexpr Schema metadata_schema{.type = JsonType::object, .properties = metadata_properties};

constexpr Schema budget_schema{.type = JsonType::integer};
constexpr std::string_view displays[] = {"summarized", "omitted"};
constexpr Schema display_schema{.type = JsonType::string, .values = displays};
constexpr Property enabled_properties[] = {{"type", &text_schema, Presence::required},
                                           {"budget_tokens", &budget_schema, Presence::required},
                                           {"display", &display_schema}};
constexpr Schema enabled_schema{.type = JsonType::object, .properties = enabled_properties};
constexpr Property adaptive_properties[] = {{"type", &text_schema, Presence::required},
                                            {"display", &display_schema}};
constexpr Schema adaptive_schema{.type = JsonType::object, .properties = adaptive_properties};
constexpr Property disabled_properties[] = {{"type", &text_schema, Presence::required}};
constexpr Schema disabled_schema{.type = JsonType::object, .properties = disabled_properties};
constexpr Variant thinking_variants[] = {
    {"enabled", &enabled_schema},
    {"adaptive", &adaptive_schema,
     [](const ModelContext& model) { return thinks_adaptively(model.model_id); }},
    {"disabled", &disabled_schema},
};
constexpr Schema thinking_schema{.type = JsonType::object, .variants = thinking_variants};

constexpr std::string_view efforts[] = {"low", "medium", "high", "xhigh", "max"};
constexpr Schema effort_schema{.type = JsonType::string, .values = efforts};
constexpr Property json_schema_properties[] = {{"type", &text_schema, Presence::required},
                                               {"schema", &free_object_schema, Presence::required}};
constexpr Schema json_schema_schema{.type = JsonType::object, .properties = json_schema_properties};
constexpr Variant format_variants[] = {{"json_schema", &json_schema_schema}};
constexpr Schema format_schema{.type = JsonType::object, .variants = format_variants};
constexpr Property output_properties[] = {{"effort", &effort_schema}, {"format", &format_schema}};
constexpr Schema output_schema{.type = JsonType::object, .properties = output_properties};

constexpr HasIt has_tools = [](const ModelContext& model) { return takes_tools(model.model_id); };
constexpr HasIt has_thinking = [](const ModelContext& model) { return thinks(model.model_id); };
constexpr HasIt has_output_config = [](const ModelContext& model) {
  return takes_output_config(model.model_id);
};

constexpr Property properties[] = {
    {"anthropic_version", &text_schema},
    {"max_tokens", &max_tokens_schema, Presence::required},
    {"messages", &anthropic_messages_schema, Presence::required},
    {"system", &anthropic_system_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"top_k", &top_k_schema},
    {"stop_sequences", &stop_sequences_schema},
    {"tools", &anthropic_tools_schema, Presence::optional, has_tools},
    {"tool_choice", &anthropic_tool_choice_schema, Presence::optional, has_tools},
    {"thinking", &thinking_schema, Presence::optional, has_thinking},
    {"output_config", &output_schema, Presence::optional, has_output_config},
    {"anthropic_beta", &texts_schema},
    {"metadata", &metadata_schema},
    {"cache_control", &anthropic_cache_control_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

// What Converse has no member for, or clients send along all the same.
constexpr Property additional_properties[] = {
    {"anthropic_version", &text_schema},
    {"max_tokens", &max_tokens_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"top_k", &top_k_schema},
    {"stop_sequences", &stop_sequences_schema},
    {"tools", &anthropic_tools_schema, Presence::optional, has_tools},
    {"tool_choice", &anthropic_tool_choice_schema, Presence::optional, has_tools},
    {"thinking", &thinking_schema, Presence::optional, has_thinking},
    {"output_config", &output_schema, Presence::optional, has_output_config},
    {"anthropic_beta", &texts_schema},
    {"metadata", &metadata_schema},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

// Members that ask for an answer of another kind, in the order of the documents.

Result<void> read_sampling(const json::object& members, const ModelContext& model,
                           Sampling& sampling) {
  if (const auto tokens = integer_member(members, "max_tokens")) sampling.tokens_max = tokens;
  if (const auto number = number_member(members, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(members, "top_p")) sampling.top_p = number;
  if (const auto number = integer_member(members, "top_k")) sampling.top_k = number;
  if (members.contains("stop_sequences")) {
    sampling.stop_sequences = texts_member(members, "stop_sequences");
  }
  const int tokens = sampling.tokens_max.value_or(0);
  if (model.output_tokens_max && tokens > *model.output_tokens_max) {
    return refused("max_tokens: " + std::to_string(tokens) + " > " +
                   std::to_string(*model.output_tokens_max) +
                   ", which is the maximum allowed number of output tokens for " +
                   anthropic_name(model.model_id));
  }
  if (takes_one_of_temperature_and_top_p(model.model_id) && sampling.temperature &&
      sampling.top_p) {
    return refused(
        "`temperature` and `top_p` cannot both be specified for this model. Please use "
        "only one.");
  }
  if (std::ranges::any_of(sampling.stop_sequences,
                          [](std::string_view text) { return trimmed(text).empty(); })) {
    return refused("stop_sequences: each stop sequence must contain non-whitespace");
  }
  return {};
}

/// Fewest tokens that a caller may leave to thought.
constexpr int budget_tokens_min = 1024;

/// Thoughts may outgrow the answer where tools are called between them.
bool is_interleaved(const json::object& members) {
  return std::ranges::any_of(texts_member(members, "anthropic_beta"), [](std::string_view beta) {
    return beta.starts_with("interleaved-thinking-");
  });
}

Result<void> check_budget(const json::object& members, const Conversation& conversation) {
  const auto budget = conversation.reasoning.budget_tokens;
  if (!budget) return {};
  if (*budget < budget_tokens_min) {
    return refused("thinking.enabled.budget_tokens: Input should be greater than or equal to " +
                   std::to_string(budget_tokens_min));
  }
  const auto tokens = conversation.sampling.tokens_max;
  if (tokens && *tokens <= *budget && !is_interleaved(members)) {
    return refused("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  return {};
}

/// Source: docs.anthropic.com "Extended thinking", "Feature compatibility".
Result<void> check_sampling_of_thought(const Conversation& conversation) {
  const Sampling& sampling = conversation.sampling;
  if (sampling.temperature.value_or(1) != 1) {
    return refused("`temperature` may only be set to 1 when thinking is enabled.");
  }
  if (sampling.top_k.value_or(0) != 0) {
    return refused("`top_k` must be unset when thinking is enabled.");
  }
  if (sampling.top_p.value_or(1) < 0.95) {
    return refused(
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.");
  }
  const ToolChoice choice = conversation.tools.choice;
  if (choice == ToolChoice::any || choice == ToolChoice::named) {
    return refused("Thinking may not be enabled when tool_choice forces tool use.");
  }
  return {};
}

bool is_result(const ContentBlock& block) { return std::holds_alternative<ToolResultBlock>(block); }

/// The assistant's turn that the answer goes on from: the last, or the one whose calls were just
/// answered. turns.size() when there is none.
std::size_t continued_turn(const std::vector<Turn>& turns) {
  if (turns.empty()) return turns.size();
  if (turns.back().role == Role::assistant) return turns.size() - 1;
  const bool answers_calls =
      turns.size() > 1 && std::ranges::any_of(turns.back().content, is_result);
  return answers_calls ? turns.size() - 2 : turns.size();
}

/// Thinking models go on from their thoughts only.
Result<void> check_thoughts_come_first(const Conversation& conversation) {
  const std::size_t index = continued_turn(conversation.turns);
  if (index == conversation.turns.size()) return {};
  const std::vector<ContentBlock>& content = conversation.turns[index].content;
  if (content.empty()) return {};
  const ContentBlock& first = content.front();
  if (std::holds_alternative<ReasoningBlock>(first)) return {};
  const bool is_call = std::holds_alternative<ToolUseBlock>(first);
  return refused("messages." + std::to_string(index) +
                 ".content.0.type: Expected `thinking` or `redacted_thinking`, but found `" +
                 (is_call ? "tool_use" : "text") +
                 "`. When `thinking` is enabled, a final `assistant` message must start with a "
                 "thinking block (preceeding the lastmost set of `tool_use` and `tool_result` "
                 "blocks). We recommend you include thinking blocks from previous turns. To avoid "
                 "this requirement, disable `thinking`.");
}

Result<void> read_thinking(const json::object& members, NativeRequest& request) {
  const json::value* member = members.if_contains("thinking");
  if (!member) return {};
  const json::object& thinking = member->get_object();
  const std::string_view type = text_member(thinking, "type");
  if (type == "disabled") return {};
  Conversation& conversation = request.conversation;
  conversation.reasoning = {.wanted = true,
                            .budget_tokens = integer_member(thinking, "budget_tokens")};
  if (thinking.contains("display")) request.body["thinking"] = thinking;
  CRATON_TRY(check_budget(members, conversation));
  CRATON_TRY(check_sampling_of_thought(conversation));
  return type == "enabled" ? check_thoughts_come_first(conversation) : Result<void>();
}

void note(std::string_view name, NativeRequest& request) {
  request.ignored_fields.emplace_back(name);
}

void read_output_config(const json::object& members, NativeRequest& request) {
  const json::value* member = members.if_contains("output_config");
  if (!member) return;
  const json::object& output = member->get_object();
  if (output.contains("effort")) note("output_config.effort", request);
  if (const json::value* format = output.if_contains("format")) {
    request.conversation.format = ResponseFormat{json::to_text(format->at("schema"))};
  }
}

/// Reads all of a body but its turns, which `request` has already.
Result<void> read_options(const json::object& members, const ModelContext& model,
                          NativeRequest& request) {
  CRATON_TRY(read_sampling(members, model, request.conversation.sampling));
  CRATON_TRY(read_anthropic_tools(members, request.conversation.tools));
  CRATON_TRY(read_thinking(members, request));
  read_output_config(members, request);
  for (const std::string_view name : {"anthropic_beta", "metadata"}) {
    if (asks(members, name)) note(name, request);
  }
  return {};
}

/// Places that a request may mark as worth caching.
constexpr std::size_t cache_marks_max = 4;

using CacheMarks = std::vector<const json::object*>;

/// Adds the marks on blocks, on tools, and on what is within them.
void add_marks(const json::value* blocks, CacheMarks& marks);

void add_marks(const json::object& block, CacheMarks& marks) {
  const json::value* source = block.if_contains("source");
  add_marks(block.if_contains("content"), marks);
  if (source && source->is_object()) add_marks(source->get_object().if_contains("content"), marks);
  const json::value* mark = block.if_contains("cache_control");
  if (mark && mark->is_object()) marks.push_back(&mark->get_object());
}

void add_marks(const json::value* blocks, CacheMarks& marks) {
  const json::array* array = blocks ? blocks->if_array() : nullptr;
  for (std::size_t i = 0; array && i < array->size(); ++i) {
    add_marks((*array)[i].get_object(), marks);
  }
}

bool is_marked(const json::object& block) {
  CacheMarks marks;
  add_marks(block, marks);
  return !marks.empty();
}

/// Behind the last marked block of a message; of what stands before the messages, there.
Place last_cache_mark(const json::object& body) {
  Place last;
  const json::array& messages = body.at("messages").get_array();
  for (std::size_t turn = 0; turn < messages.size(); ++turn) {
    const json::array* blocks = messages[turn].get_object().at("content").if_array();
    for (std::size_t i = 0; blocks && i < blocks->size(); ++i) {
      if (is_marked((*blocks)[i].get_object())) last = {turn, i + 1};
    }
  }
  return last;
}

/// Marks are taken everywhere; models that count no cached tokens are told of none.
Result<void> read_caching(const json::object& body, const ModelContext& model,
                          Conversation& conversation) {
  CacheMarks marks;  // as they stand in the prompt
  add_marks(body.if_contains("tools"), marks);
  add_marks(body.if_contains("system"), marks);
  for (const json::value& message : body.at("messages").get_array()) {
    add_marks(message.get_object(), marks);
  }
  const json::value* own = body.if_contains("cache_control");
  if (own && own->is_object()) marks.push_back(&own->get_object());
  if (marks.size() > cache_marks_max) {
    return refused("A maximum of " + std::to_string(cache_marks_max) +
                   " blocks with cache_control may be provided. Found " +
                   std::to_string(marks.size()) + ".");
  }
  if (marks.empty() || !counts_cached_tokens(model.model_id)) return {};
  conversation.caching = true;
  if (text_member(*marks.back(), "ttl") == "1h") conversation.cache_life = CacheLife::hour;
  if (!body.contains("cache_control")) conversation.cached_until = last_cache_mark(body);
  return {};
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  if (!body.contains("anthropic_version")) return refused("anthropic_version: Field required");
  NativeRequest request;
  AnthropicContentReader reader(model.model_id, request.conversation);
  if (const json::value* system = body.if_contains("system")) {
    CRATON_TRY(reader.read_system(*system));
  }
  CRATON_TRY(reader.read_messages(body.at("messages").get_array()));
  CRATON_TRY(read_caching(body, model, request.conversation));
  CRATON_TRY(read_options(body, model, request));
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  return read_options(fields, model, request);
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
    .apply_additional = apply_additional,
    .tells_full_context = tells_full_context,
};

}  // namespace craton::families
