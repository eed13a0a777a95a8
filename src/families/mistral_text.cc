// Mistral text completion: Mistral 7B, Mixtral, and the 24.02 Large and Small, sent a prompt.
//
// Source: docs.aws.amazon.com "Mistral AI text completion".
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "families/members.h"
#include "families/mistral.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/text_stream.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {
    "mistral.mistral-7b-instruct", "mistral.mixtral-8x7b-instruct", "mistral.mistral-large-2402",
    "mistral.mistral-small-2402"};

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"max_tokens", &mistral_tokens_schema},
    {"stop", &mistral_stop_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"top_k", &mistral_top_k_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr Property additional_properties[] = {
    {"max_tokens", &mistral_tokens_schema}, {"stop", &mistral_stop_schema},
    {"temperature", &unit_schema},          {"top_p", &unit_schema},
    {"top_k", &mistral_top_k_schema},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_mistral_sampling(fields, request.conversation.sampling);
  return {};
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  PromptTurns prompt = read_inst_marked(text_member(body, "prompt"));
  NativeRequest request;
  request.lead = prompt.prefilled() ? "" : " ";
  request.conversation.system = std::move(prompt.system);
  request.conversation.turns = std::move(prompt.turns);
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max = mistral_tokens_default(model.model_id);
  read_mistral_sampling(body, sampling);
  sampling.stop_sequences.emplace_back("[INST]");  // the user's next turn
  return request;
}

/// `stop` is nullptr while the answer goes on.
void append_output(std::string_view text, const MessageStop* stop, std::string& out) {
  out += "{\"outputs\":[{\"text\":";
  append_reply_text(text, out);
  out += ",\"stop_reason\":";
  append_mistral_stop_reason(stop, out);
  out += "}]}";
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  const MessageStop stop{answer.stop_reason, {}};
  std::string out;
  append_output(led_text(context.request, answer), &stop, out);
  return out;
}

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return text_stream(context, {[](const TextPiece& piece, std::string& out) {
                       append_output(piece.text, piece.stop, out);
                     }});
}

}  // namespace

constinit const Family mistral_text{
    .name = "mistral.text",
    .id_prefixes = prefixes,
    .shape = BodyShape::prompt,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = mistral_too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
