// Amazon Titan Text.
//
// Source: docs.aws.amazon.com "Amazon Titan Text models".
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"
#include "families/text_stream.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"amazon.titan-text-", "amazon.titan-tg1-"};

/// Titan streams in pieces of about this size; short answers come whole.
constexpr int tokens_per_piece = 128;

constexpr Schema tokens_schema{
    .type = JsonType::integer,
    .minimum = Bound{0},
    .maximum_of = [](const ModelContext& model) -> std::optional<double> {
      return model.output_tokens_max.value_or(4096);
    }};

// Bedrock's own schema takes only pipes and "User:" as stop sequences; its users call that a bug.
constexpr Property config_properties[] = {
    {"temperature", &unit_schema},
    {"topP", &unit_schema},
    {"maxTokenCount", &tokens_schema},
    {"stopSequences", &texts_schema},
};
constexpr Schema config_schema{.type = JsonType::object, .properties = config_properties};
constexpr Property properties[] = {{"inputText", &prompt_schema, Presence::required},
                                   {"textGenerationConfig", &config_schema}};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr Property additional_properties[] = {{"textGenerationConfig", &config_schema}};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

void read_config(const json::object& members, Sampling& sampling) {
  const json::value* member = members.if_contains("textGenerationConfig");
  if (!member) return;
  const json::object& config = member->get_object();
  if (const auto tokens = integer_member(config, "maxTokenCount")) sampling.tokens_max = tokens;
  if (const auto number = number_member(config, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(config, "topP")) sampling.top_p = number;
  if (config.contains("stopSequences")) {
    sampling.stop_sequences = texts_member(config, "stopSequences");
  }
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  PromptTurns prompt = read_line_marked(text_member(body, "inputText"), {"User:", "Bot:"});
  NativeRequest request;
  request.lead = prompt.prefilled() ? "" : "\n";
  request.conversation.system = std::move(prompt.system);
  request.conversation.turns = std::move(prompt.turns);
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max = 512;
  read_config(body, sampling);
  if (prompt.marked) sampling.stop_sequences.emplace_back("\nUser:");
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_config(fields, request.conversation.sampling);
  return {};
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  std::string out = "{\"inputTextTokenCount\":" + std::to_string(answer.usage.input_tokens);
  out += ",\"results\":[{\"tokenCount\":" + std::to_string(answer.usage.output_tokens);
  out += ",\"outputText\":";
  append_reply_text(led_text(context.request, context.answer()), out);
  out += answer.stop_reason == StopReason::max_tokens ? R"(,"completionReason":"LENGTH"}]})"
                                                      : R"(,"completionReason":"FINISH"}]})";
  return out;
}

void append_piece(const TextPiece& piece, std::string& out) {
  out += "{\"outputText\":";
  append_reply_text(piece.text, out);
  out += ",\"index\":0,\"totalOutputTextTokenCount\":";
  out += piece.stop ? std::to_string(piece.output_tokens) : "null";
  out += ",\"completionReason\":";
  if (piece.stop) {
    out += piece.stop->reason == StopReason::max_tokens ? "\"LENGTH\"" : "\"FINISH\"";
  } else {
    out += "null";
  }
  out += ",\"inputTextTokenCount\":";
  out += piece.first ? std::to_string(piece.input_tokens) : "null";
  out += '}';
}

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return text_stream(context, {append_piece, tokens_per_piece});
}

// The blank at its end is the service's own.
Error too_long(const InputTooLong& measured) {
  return {ErrorCode::validation,
          "400 Bad Request: Too many input tokens. Max input tokens: " +
              std::to_string(measured.context_tokens) +
              ", request input token count: " + std::to_string(measured.input_tokens) + " "};
}

}  // namespace

constinit const Family titan_text{
    .name = "amazon.titan-text",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
