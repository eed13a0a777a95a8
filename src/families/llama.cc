// Meta Llama: a prompt in the template of the model's generation.
//
// Source: docs.aws.amazon.com "Meta Llama models".
#include <algorithm>
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

constexpr std::string_view prefixes[] = {"meta.llama"};

/// How a generation of Llama is prompted and answers.
struct Generation {
  std::string_view id_prefix;
  PromptTurns (*read)(std::string_view prompt);  ///< nullptr: a base model, completed as it stands.
  std::string_view lead;                         ///< Source: recorded replies.
  std::string_view turn_marker;                  ///< What begins the user's next turn.
  int max_gen_len;
};

constexpr Generation generations[] = {
    {"meta.llama2-13b-chat", read_inst_marked, "  ", "[INST]", 2048},
    {"meta.llama2-70b-chat", read_inst_marked, "  ", "[INST]", 2048},
    {"meta.llama2-", nullptr, "", "", 2048},
    {"meta.llama3-8b-", read_header_marked, "\n\n", "<|start_header_id|>", 2048},
    {"meta.llama3-70b-", read_header_marked, "\n\n", "<|start_header_id|>", 2048},
    {"meta.llama3-", read_header_marked, "\n\n", "<|start_header_id|>", 8192},
    {"meta.llama", read_header_marked, "\n\n", "<|header_start|>", 8192},
};

/// The first row whose prefix fits; the last fits every Llama.
const Generation& generation_of(std::string_view model_id) {
  const auto* row = std::ranges::find_if(generations, [model_id](const Generation& generation) {
    return model_id.starts_with(generation.id_prefix);
  });
  return row == std::ranges::end(generations) ? *std::ranges::rbegin(generations) : *row;
}

constexpr Schema max_gen_len_schema{
    .type = JsonType::integer,
    .minimum = Bound{1},
    .maximum_of = [](const ModelContext& model) -> std::optional<double> {
      return generation_of(model.model_id).max_gen_len;
    }};

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"max_gen_len", &max_gen_len_schema},
    {"images", &texts_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  if (asks(body, "images")) return not_supported("images", "Send the prompt alone");
  const Generation& generation = generation_of(model.model_id);
  const std::string_view prompt = text_member(body, "prompt");
  NativeRequest request;
  Conversation& conversation = request.conversation;
  if (generation.read) {
    PromptTurns read = generation.read(prompt);
    request.lead = read.prefilled() ? "" : generation.lead;
    conversation.system = std::move(read.system);
    conversation.turns = std::move(read.turns);
    conversation.sampling.stop_sequences.emplace_back(generation.turn_marker);
  } else {
    conversation.raw_completion = true;
    conversation.turns = {Turn{Role::user, {TextBlock{std::string(prompt)}}}};
  }
  conversation.sampling.tokens_max = integer_member(body, "max_gen_len").value_or(512);
  conversation.sampling.temperature = number_member(body, "temperature");
  conversation.sampling.top_p = number_member(body, "top_p");
  return request;
}

void append_generation(const TextPiece& piece, std::string& out) {
  out += "{\"generation\":";
  append_reply_text(piece.text, out);
  out += ",\"prompt_token_count\":";
  out += piece.first ? std::to_string(piece.input_tokens) : "null";
  out += ",\"generation_token_count\":" + std::to_string(piece.output_tokens);
  out += ",\"stop_reason\":";
  if (!piece.stop) {
    out += "null}";
  } else {
    out += piece.stop->reason == StopReason::max_tokens ? "\"length\"}" : "\"stop\"}";
  }
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  const std::string text = led_text(context.request, answer);
  const MessageStop stop{answer.stop_reason, {}};
  std::string out;
  append_generation({text, true, &stop, answer.usage.input_tokens, answer.usage.output_tokens},
                    out);
  return out;
}

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return text_stream(context, {append_generation});
}

Error too_long(const InputTooLong& measured) {
  return {ErrorCode::validation, "This model's maximum context length is " +
                                     std::to_string(measured.context_tokens) +
                                     " tokens. Please reduce the length of the prompt"};
}

}  // namespace

constinit const Family llama{
    .name = "meta.llama",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = too_long,
};

}  // namespace craton::families
