// Anthropic text completions: Claude Instant and Claude 2, sent a prompt.
//
// Source: docs.aws.amazon.com "Anthropic Claude Text Completions API".
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "families/anthropic_model.h"
#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"
#include "families/text_stream.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"anthropic.claude-v", "anthropic.claude-instant-"};

/// Where Claude 2 ends its turns; callers see it as the stop sequence of a finished answer.
constexpr std::string_view end_of_turn = "\n\nHuman:";

constexpr Schema tokens_schema{
    .type = JsonType::integer,
    .minimum = Bound{0},
    .maximum_of = [](const ModelContext& model) -> std::optional<double> {
      return model.output_tokens_max;
    }};
constexpr Schema top_k_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{500}};
constexpr Schema stop_sequences_schema{
    .type = JsonType::array, .size_max = 8191, .items = &text_schema};

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"max_tokens_to_sample", &tokens_schema, Presence::required},
    {"stop_sequences", &stop_sequences_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"top_k", &top_k_schema},
    {"anthropic_version", &text_schema},
};
constexpr Schema schema{
    .type = JsonType::object, .properties = properties, .forbidden_key = "messages"};

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  PromptTurns prompt = read_line_marked(text_member(body, "prompt"), {"Human:", "Assistant:"});
  NativeRequest request;
  request.lead = prompt.prefilled() ? "" : " ";
  request.conversation.system = std::move(prompt.system);
  request.conversation.turns = std::move(prompt.turns);
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max = integer_member(body, "max_tokens_to_sample");
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  sampling.top_k = integer_member(body, "top_k");
  sampling.stop_sequences = texts_member(body, "stop_sequences");
  sampling.stop_sequences.emplace_back(end_of_turn);
  return request;
}

/// `stop` is nullptr while the answer goes on.
void append_completion(std::string_view text, const MessageStop* stop, std::string& out) {
  out += R"({"type":"completion","completion":)";
  append_reply_text(text, out);
  if (!stop) {
    out += R"(,"stop_reason":null,"stop":null})";
  } else if (stop->reason == StopReason::max_tokens) {
    out += R"(,"stop_reason":"max_tokens","stop":null})";
  } else {
    out += R"(,"stop_reason":"stop_sequence","stop":)";
    append_reply_text(stop->stop_sequence.value_or(std::string(end_of_turn)), out);
    out += '}';
  }
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  const MessageStop stop{answer.stop_reason, answer.stop_sequence};
  std::string out;
  append_completion(led_text(context.request, answer), &stop, out);
  return out;
}

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return text_stream(context, {[](const TextPiece& piece, std::string& out) {
                       append_completion(piece.text, piece.stop, out);
                     }});
}

}  // namespace

constinit const Family anthropic_text{
    .name = "anthropic.text",
    .id_prefixes = prefixes,
    .shape = BodyShape::prompt,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = anthropic_too_long,
};

}  // namespace craton::families
