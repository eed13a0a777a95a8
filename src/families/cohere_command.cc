// Cohere Command and Command Light.
//
// Source: docs.aws.amazon.com "Cohere Command models".
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "base/ids.h"
#include "families/members.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"cohere.command-text-", "cohere.command-light-text-"};

constexpr Schema temperature_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{5}};
constexpr Schema k_schema{.type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{500}};
constexpr Schema max_tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{4096}};
constexpr Schema stop_schema{.type = JsonType::array, .size_max = 4, .items = &text_schema};
constexpr std::string_view likelihoods[] = {"GENERATION", "ALL", "NONE"};
constexpr Schema likelihoods_schema{.type = JsonType::string, .values = likelihoods};
constexpr Schema generations_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{5}};
constexpr std::string_view truncations[] = {"NONE", "START", "END"};
constexpr Schema truncate_schema{.type = JsonType::string, .values = truncations};

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"temperature", &temperature_schema},
    {"p", &unit_schema},
    {"k", &k_schema},
    {"max_tokens", &max_tokens_schema},
    {"stop_sequences", &stop_schema},
    {"return_likelihoods", &likelihoods_schema},
    {"stream", &boolean_schema},
    {"num_generations", &generations_schema},
    {"logit_bias", &free_object_schema},
    {"truncate", &truncate_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

Result<void> refuse_unsupported(const json::object& body) {
  const std::string_view likelihood = text_member(body, "return_likelihoods");
  if (!likelihood.empty() && likelihood != "NONE") {
    return not_supported("return_likelihoods", "Leave it out, or set it to NONE");
  }
  if (integer_member(body, "num_generations").value_or(1) > 1) {
    return not_supported("num_generations", "Ask for one generation");
  }
  return {};
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  CRATON_TRY(refuse_unsupported(body));
  NativeRequest request;
  request.echo = text_member(body, "prompt");
  request.lead = " ";
  request.conversation.turns = {Turn{Role::user, {TextBlock{request.echo}}}};
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max = integer_member(body, "max_tokens").value_or(20);
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "p");
  if (sampling.top_p == 0.0) sampling.top_p = 1;  // 0 turns it off
  sampling.top_k = integer_member(body, "k");
  sampling.stop_sequences = texts_member(body, "stop_sequences");
  if (asks(body, "logit_bias")) request.ignored_fields.emplace_back("logit_bias");
  const std::string_view truncate = text_member(body, "truncate");
  if (!truncate.empty() && truncate != "NONE") request.ignored_fields.emplace_back("truncate");
  return request;
}

std::string render(const ReplyContext& context) {
  std::string out = "{\"id\":";
  json::append_quoted(context.request_id, out);
  out += ",\"generations\":[{\"id\":\"" + random_uuid() + "\",\"text\":";
  append_reply_text(led_text(context.request, context.answer()), out);
  out += context.answer().stop_reason == StopReason::max_tokens
             ? R"(,"finish_reason":"MAX_TOKENS"}],"prompt":)"
             : R"(,"finish_reason":"COMPLETE"}],"prompt":)";
  append_reply_text(context.request.echo, out);
  return out + "}";
}

// Cohere's own sentence; what Bedrock passes on of it is not known.
Error too_long(const InputTooLong& measured) {
  return {ErrorCode::validation,
          "too many tokens: total number of tokens in the prompt cannot exceed " +
              std::to_string(measured.context_tokens) + " - received " +
              std::to_string(measured.input_tokens) + ". Try using a shorter prompt."};
}

}  // namespace

constinit const Family cohere_command{
    .name = "cohere.command",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .too_long = too_long,
};

}  // namespace craton::families
