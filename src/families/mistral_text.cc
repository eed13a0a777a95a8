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

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  PromptTurns prompt = read_inst_marked(text_member(body, "prompt"));
  NativeRequest request;
  request.lead = prompt.prefilled() ? "" : " ";
  request.conversation.system = std::move(prompt.system);
  request.conversation.turns = std::move(prompt.turns);
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max =
      integer_member(body, "max_tokens").value_or(mistral_tokens_default(model.model_id));
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  sampling.top_k = integer_member(body, "top_k");
  sampling.stop_sequences = texts_member(body, "stop");
  sampling.stop_sequences.emplace_back("[INST]");  // the user's next turn
  return request;
}

std::string render(const ReplyContext& context) {
  std::string out = "{\"outputs\":[{\"text\":";
  append_reply_text(led_text(context.request, context.answer()), out);
  out += ",\"stop_reason\":\"";
  out += mistral_stop_reason(context.answer().stop_reason);
  return out + "\"}]}";
}

}  // namespace

constinit const Family mistral_text{
    .name = "mistral.text",
    .id_prefixes = prefixes,
    .shape = BodyShape::prompt,
    .parse = parse,
    .render = render,
    .too_long = mistral_too_long,
};

}  // namespace craton::families
