#include "client/converse_form.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/base64.h"

namespace craton::client {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

Error no_member(std::string_view what) {
  return {ErrorCode::validation, "Converse has no member for " + std::string(what) +
                                     "; give it in additional_fields, as the model's provider "
                                     "names it"};
}

Error malformed(std::string_view what) {
  return {ErrorCode::serialization, "the service's answer has no " + std::string(what)};
}

std::string base64_of(std::string_view bytes) {
  std::string text;
  append_base64(bytes, text);
  return text;
}

json::object media(std::string_view format, const std::string& bytes) {
  return {{"format", format}, {"source", json::object{{"bytes", base64_of(bytes)}}}};
}

json::object document(const DocumentBlock& block) {
  json::object object = media(block.format, block.bytes);
  object["name"] = block.name;
  if (!block.context.empty()) object["context"] = block.context;
  return object;
}

json::object reasoning(const ReasoningBlock& block) {
  if (!block.redacted.empty()) return {{"redactedContent", base64_of(block.redacted)}};
  json::object text{{"text", block.text}};
  if (!block.signature.empty()) text["signature"] = block.signature;
  return {{"reasoningText", std::move(text)}};
}

json::object result_part(const ToolResultPart& part) {
  return std::visit(
      Overloaded{
          [](const TextBlock& block) { return json::object{{"text", block.text}}; },
          [](const ImageBlock& block) {
            return json::object{{"image", media(block.format, block.bytes)}};
          },
          [](const DocumentBlock& block) { return json::object{{"document", document(block)}}; }},
      part);
}

json::object tool_result(const ToolResultBlock& block) {
  json::array content;
  for (const ToolResultPart& part : block.content) content.emplace_back(result_part(part));
  json::object object{{"toolUseId", block.tool_use_id}, {"content", std::move(content)}};
  if (block.is_error) object["status"] = "error";
  return object;
}

Result<json::object> tool_use(const ToolUseBlock& block) {
  Result<json::value> input = json::parse(block.input.empty() ? "{}" : block.input);
  if (!input || !input->is_object()) {
    return Error{ErrorCode::validation,
                 "the input of the call of '" + block.name + "' is no JSON object"};
  }
  return json::object{{"toolUseId", block.id}, {"name", block.name}, {"input", std::move(*input)}};
}

Result<json::object> content_block(const ContentBlock& block) {
  using Made = Result<json::object>;
  return std::visit(
      Overloaded{
          [](const TextBlock& text) -> Made { return json::object{{"text", text.text}}; },
          [](const ImageBlock& image) -> Made {
            return json::object{{"image", media(image.format, image.bytes)}};
          },
          [](const DocumentBlock& one) -> Made {
            return json::object{{"document", document(one)}};
          },
          [](const ToolUseBlock& use) -> Made {
            CRATON_TRY_ASSIGN(json::object object, tool_use(use));
            return json::object{{"toolUse", std::move(object)}};
          },
          [](const ToolResultBlock& result) -> Made {
            return json::object{{"toolResult", tool_result(result)}};
          },
          [](const ReasoningBlock& thought) -> Made {
            return json::object{{"reasoningContent", reasoning(thought)}};
          },
      },
      block);
}

json::object cache_point(const Conversation& conversation) {
  json::object point{{"type", "default"}};
  if (conversation.cache_life == CacheLife::hour) point["ttl"] = "1h";
  return {{"cachePoint", std::move(point)}};
}

/// Where the caller's mark stands; the end where it marked the whole.
std::optional<Place> mark_of(const Conversation& conversation) {
  if (!conversation.caching) return std::nullopt;
  return conversation.cached_until.value_or(Place{conversation.turns.size(), 0});
}

bool stands_behind(const Place& mark, std::size_t turn, std::size_t blocks, bool last_block) {
  return mark == Place{turn, blocks} || (last_block && mark == Place{turn + 1, 0});
}

Result<json::array> messages(const Conversation& conversation) {
  const std::optional<Place> mark = mark_of(conversation);
  json::array all;
  for (std::size_t i = 0; i < conversation.turns.size(); ++i) {
    const Turn& turn = conversation.turns[i];
    json::array content;
    for (std::size_t k = 0; k < turn.content.size(); ++k) {
      CRATON_TRY_ASSIGN(json::object block, content_block(turn.content[k]));
      content.emplace_back(std::move(block));
      if (mark && stands_behind(*mark, i, k + 1, k + 1 == turn.content.size())) {
        content.emplace_back(cache_point(conversation));
      }
    }
    all.emplace_back(json::object{{"role", turn.role == Role::user ? "user" : "assistant"},
                                  {"content", std::move(content)}});
  }
  return all;
}

Result<json::object> inference_config(const Sampling& sampling) {
  const std::pair<bool, std::string_view> absent[] = {
      {sampling.top_k.has_value(), "top_k"},
      {sampling.seed.has_value(), "seed"},
      {sampling.frequency_penalty.has_value(), "frequency_penalty"},
      {sampling.presence_penalty.has_value(), "presence_penalty"},
      {sampling.likelihoods != Likelihoods::none, "likelihoods"},
  };
  for (const auto& [asked, name] : absent) {
    if (asked) return no_member(name);
  }
  json::object config;
  if (sampling.tokens_max) config["maxTokens"] = *sampling.tokens_max;
  if (sampling.temperature) config["temperature"] = *sampling.temperature;
  if (sampling.top_p) config["topP"] = *sampling.top_p;
  if (!sampling.stop_sequences.empty()) {
    json::array stops;
    for (const std::string& stop : sampling.stop_sequences) stops.emplace_back(stop);
    config["stopSequences"] = std::move(stops);
  }
  return config;
}

Result<json::object> tool_config(const Tools& tools) {
  if (tools.choice == ToolChoice::none) return no_member("ToolChoice::none");
  if (!tools.parallel) return no_member("calls one at a time (Tools::parallel)");
  json::array offered;
  for (const Tool& tool : tools.offered) {
    Result<json::value> schema = json::parse(tool.input_schema);
    if (!schema) {
      return Error{ErrorCode::validation, "the schema of the tool '" + tool.name +
                                              "' is no JSON: " + schema.error().message};
    }
    json::object spec{{"name", tool.name},
                      {"inputSchema", json::object{{"json", std::move(*schema)}}}};
    if (!tool.description.empty()) spec["description"] = tool.description;
    offered.emplace_back(json::object{{"toolSpec", std::move(spec)}});
  }
  json::object config{{"tools", std::move(offered)}};
  if (tools.choice == ToolChoice::any) config["toolChoice"] = {{"any", json::object{}}};
  if (tools.choice == ToolChoice::named) {
    config["toolChoice"] = {{"tool", json::object{{"name", tools.named}}}};
  }
  return config;
}

json::object json_schema(const ResponseFormat& format) {
  const std::string schema = format.schema.empty() ? R"({"type":"object"})" : format.schema;
  return {{"textFormat",
           json::object{
               {"type", "json_schema"},
               {"structure", json::object{{"jsonSchema", json::object{{"schema", schema}}}}}}}};
}

Result<void> add_options(const ConverseOptions& options, json::object& input) {
  if (!options.additional_fields.empty()) {
    Result<json::value> fields = json::parse(options.additional_fields);
    if (!fields || !fields->is_object()) {
      return Error{ErrorCode::validation, "additional_fields is no JSON object"};
    }
    input["additionalModelRequestFields"] = std::move(*fields);
  }
  if (!options.latency.empty()) {
    input["performanceConfig"] = json::object{{"latency", options.latency}};
  }
  if (!options.service_tier.empty()) {
    input["serviceTier"] = json::object{{"type", options.service_tier}};
  }
  if (!options.guardrail_id.empty()) {
    input["guardrailConfig"] = json::object{{"guardrailIdentifier", options.guardrail_id},
                                            {"guardrailVersion", options.guardrail_version}};
  }
  return {};
}

// Replies.

std::string_view text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found ? found->if_object() : nullptr;
}

int number_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_int64()
             ? static_cast<int>(std::clamp<std::int64_t>(found->get_int64(), 0, 2'000'000'000))
             : 0;
}

struct StopReasonName {
  std::string_view name;
  StopReason reason;
};
constexpr StopReasonName stop_reasons[] = {
    {"end_turn", StopReason::end_turn},
    {"stop_sequence", StopReason::stop_sequence},
    {"max_tokens", StopReason::max_tokens},
    {"model_context_window_exceeded", StopReason::full_context},
    {"tool_use", StopReason::tool_use},
};

/// Reasons that the canonical answer has no name for (a guardrail's, a filter's) end the turn.
StopReason stop_reason_of(std::string_view name) {
  const auto* row = std::ranges::find(stop_reasons, name, &StopReasonName::name);
  return row == std::end(stop_reasons) ? StopReason::end_turn : row->reason;
}

Usage usage_of(const json::object& usage) {
  return {.input_tokens = number_at(usage, "inputTokens"),
          .output_tokens = number_at(usage, "outputTokens"),
          .cache_read_tokens = number_at(usage, "cacheReadInputTokens"),
          .cache_write_tokens = number_at(usage, "cacheWriteInputTokens")};
}

std::string decoded(std::string_view base64) {
  return base64_bytes(base64).value_or(std::string(base64));
}

void add_block(const json::object& block, Answer& answer) {
  if (block.contains("text")) {
    answer.content.emplace_back(TextBlock{std::string(text_at(block, "text"))});
  } else if (const json::object* use = object_at(block, "toolUse")) {
    const json::value* input = use->if_contains("input");
    answer.content.emplace_back(ToolUseBlock{std::string(text_at(*use, "toolUseId")),
                                             std::string(text_at(*use, "name")),
                                             input ? json::to_text(*input) : "{}"});
  } else if (const json::object* thought = object_at(block, "reasoningContent")) {
    ReasoningBlock made;
    if (const json::object* text = object_at(*thought, "reasoningText")) {
      made.text = text_at(*text, "text");
      made.signature = text_at(*text, "signature");
    } else {
      made.redacted = decoded(text_at(*thought, "redactedContent"));
    }
    answer.content.emplace_back(std::move(made));
  }
}

std::optional<std::string> stop_sequence_of(const json::object& reply) {
  const json::object* fields = object_at(reply, "additionalModelResponseFields");
  const std::string_view text = fields ? text_at(*fields, "stop_sequence") : std::string_view();
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

}  // namespace

Result<json::object> converse_input(const Conversation& conversation,
                                    const ConverseOptions& options) {
  if (conversation.raw_completion) return no_member("a prompt without turns (raw_completion)");
  if (conversation.reasoning.wanted) return no_member("reasoning");
  json::object input;
  if (!conversation.system.empty()) {
    json::array system;
    for (const TextBlock& block : conversation.system) {
      system.emplace_back(json::object{{"text", block.text}});
    }
    if (mark_of(conversation) == Place{}) system.emplace_back(cache_point(conversation));
    input["system"] = std::move(system);
  }
  CRATON_TRY_ASSIGN(input["messages"], messages(conversation));
  CRATON_TRY_ASSIGN(json::object config, inference_config(conversation.sampling));
  if (!config.empty()) input["inferenceConfig"] = std::move(config);
  if (!conversation.tools.offered.empty()) {
    CRATON_TRY_ASSIGN(input["toolConfig"], tool_config(conversation.tools));
  }
  if (conversation.format) input["outputConfig"] = json_schema(*conversation.format);
  CRATON_TRY(add_options(options, input));
  return input;
}

Result<Answer> read_answer(const json::object& reply) {
  const json::object* output = object_at(reply, "output");
  const json::object* message = output ? object_at(*output, "message") : nullptr;
  const json::value* content = message ? message->if_contains("content") : nullptr;
  if (!content || !content->is_array()) return malformed("output.message.content");
  Answer answer;
  for (const json::value& block : content->get_array()) {
    if (const json::object* object = block.if_object()) add_block(*object, answer);
  }
  answer.stop_reason = stop_reason_of(text_at(reply, "stopReason"));
  answer.stop_sequence = stop_sequence_of(reply);
  if (const json::object* usage = object_at(reply, "usage")) answer.usage = usage_of(*usage);
  return answer;
}

Result<std::vector<Event>> EventReader::read(std::string_view type, std::string_view payload) {
  CRATON_TRY_ASSIGN(const json::value value, json::parse(payload));
  const json::object* object = value.if_object();
  if (!object) return malformed("JSON object in an event");
  std::vector<Event> events;
  if (type == "messageStart") {
    events.emplace_back(MessageStart{});
  } else if (type == "contentBlockStart") {
    const json::object* start = object_at(*object, "start");
    if (const json::object* use = start ? object_at(*start, "toolUse") : nullptr) {
      in_tool_use_ = true;
      events.emplace_back(ToolUseStart{std::string(text_at(*use, "name")),
                                       std::string(text_at(*use, "toolUseId"))});
    }
  } else if (type == "contentBlockDelta") {
    const json::object* delta = object_at(*object, "delta");
    if (!delta) return malformed("delta in contentBlockDelta");
    if (delta->contains("text")) {
      events.emplace_back(TextDelta{std::string(text_at(*delta, "text")), 0, {}});
    } else if (const json::object* use = object_at(*delta, "toolUse")) {
      events.emplace_back(ToolInputDelta{std::string(text_at(*use, "input"))});
    } else if (const json::object* thought = object_at(*delta, "reasoningContent")) {
      events.emplace_back(ReasoningDelta{std::string(text_at(*thought, "text")),
                                         std::string(text_at(*thought, "signature")),
                                         decoded(text_at(*thought, "redactedContent"))});
    }
  } else if (type == "contentBlockStop") {
    if (std::exchange(in_tool_use_, false)) events.emplace_back(ToolUseStop{});
  } else if (type == "messageStop") {
    events.emplace_back(
        MessageStop{stop_reason_of(text_at(*object, "stopReason")), stop_sequence_of(*object)});
  } else if (type == "metadata") {
    const json::object* usage = object_at(*object, "usage");
    events.emplace_back(usage ? usage_of(*usage) : Usage{});
  }
  return events;
}

}  // namespace craton::client
