// Cohere Command and Command Light.
//
// Source: docs.aws.amazon.com "Cohere Command models".
#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "families/cohere.h"
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

// A Converse reply has one answer, and no place for likelihoods.
constexpr Schema one_generation_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{1}};
constexpr Property additional_properties[] = {
    {"temperature", &temperature_schema},
    {"p", &unit_schema},
    {"k", &k_schema},
    {"max_tokens", &max_tokens_schema},
    {"stop_sequences", &stop_schema},
    {"return_likelihoods", &likelihoods_schema},
    {"stream", &boolean_schema},
    {"num_generations", &one_generation_schema},
    {"logit_bias", &free_object_schema},
    {"truncate", &truncate_schema},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

Likelihoods likelihoods_of(std::string_view asked) {
  if (asked == "ALL") return Likelihoods::all;
  return asked == "GENERATION" ? Likelihoods::generated : Likelihoods::none;
}

void read_options(const json::object& members, NativeRequest& request) {
  Sampling& sampling = request.conversation.sampling;
  if (const auto tokens = integer_member(members, "max_tokens")) sampling.tokens_max = tokens;
  if (const auto number = number_member(members, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(members, "p")) sampling.top_p = number;
  if (sampling.top_p == 0.0) sampling.top_p = 1;  // 0 turns it off
  if (const auto number = integer_member(members, "k")) sampling.top_k = number;
  if (members.contains("stop_sequences")) {
    sampling.stop_sequences = texts_member(members, "stop_sequences");
  }
  if (asks(members, "logit_bias")) request.ignored_fields.emplace_back("logit_bias");
  const std::string_view truncate = text_member(members, "truncate");
  if (!truncate.empty() && truncate != "NONE") request.ignored_fields.emplace_back("truncate");
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  request.echo = text_member(body, "prompt");
  request.lead = " ";
  request.generations = integer_member(body, "num_generations").value_or(1);
  request.streams_pieces = asks(body, "stream");
  request.conversation.turns = {Turn{Role::user, {TextBlock{request.echo}}}};
  request.conversation.sampling.tokens_max = 20;
  request.conversation.sampling.likelihoods =
      likelihoods_of(text_member(body, "return_likelihoods"));
  read_options(body, request);
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_options(fields, request);
  if (likelihoods_of(text_member(fields, "return_likelihoods")) != Likelihoods::none) {
    request.ignored_fields.emplace_back("return_likelihoods");
  }
  return {};
}

constexpr std::string_view finish_reason(StopReason reason) {
  return reason == StopReason::max_tokens ? "MAX_TOKENS" : "COMPLETE";
}

void append_token_likelihoods(std::span<const TokenLikelihood> tokens, bool& empty,
                              std::string& out) {
  for (const TokenLikelihood& token : tokens) {
    out += std::exchange(empty, false) ? "{\"token\":" : ",{\"token\":";
    append_reply_text(token.token, out);
    // Nothing comes before a prompt's first token that could make it likely.
    if (std::isfinite(token.likelihood)) {
      out += ",\"likelihood\":";
      json::append_number(token.likelihood, out);
    }
    out += '}';
  }
}

/// Appends the mean and the single likelihoods, those of the prompt first where they were asked
/// for.
void append_likelihoods(const Answer& answer, std::string& out) {
  double sum = 0;
  int count = 0;
  for (const auto* tokens : {&answer.prompt_likelihoods, &answer.likelihoods}) {
    for (const TokenLikelihood& token : *tokens) {
      if (!std::isfinite(token.likelihood)) continue;
      sum += token.likelihood;
      ++count;
    }
  }
  out += ",\"likelihood\":";
  const double mean = sum / std::max(count, 1);
  json::append_number(std::isfinite(mean) ? mean : 0, out);
  out += ",\"token_likelihoods\":[";
  bool empty = true;
  append_token_likelihoods(answer.prompt_likelihoods, empty, out);
  append_token_likelihoods(answer.likelihoods, empty, out);
  out += ']';
}

void append_generation(const NativeRequest& request, const Answer& answer, std::string& out) {
  out += "{\"id\":\"" + random_uuid() + "\",\"text\":";
  append_reply_text(led_text(request, answer), out);
  out += ",\"finish_reason\":\"";
  out += finish_reason(answer.stop_reason);
  out += '"';
  if (request.conversation.sampling.likelihoods != Likelihoods::none) {
    append_likelihoods(answer, out);
  }
  out += '}';
}

std::string render(const ReplyContext& context) {
  std::string out = "{\"id\":";
  json::append_quoted(context.request_id, out);
  out += ",\"generations\":[";
  for (const Answer& answer : context.answers) {
    if (&answer != &context.answers.front()) out += ',';
    append_generation(context.request, answer, out);
  }
  out += "],\"prompt\":";
  append_reply_text(context.request.echo, out);
  return out + "}";
}

/// Pieces of text and an end; without `stream` in the body, the whole reply in one piece.
class CommandStream : public StreamWriter {
 public:
  explicit CommandStream(const StreamContext& context)
      : context_(context), request_id_(context.request_id) {}

  void write(const Event& event, int generation, std::vector<std::string>& pieces) override {
    if (std::holds_alternative<MessageStart>(event)) lead_ = Lead(request().lead);
    const auto* delta = std::get_if<TextDelta>(&event);
    if (delta && !delta->text.empty() && request().streams_pieces) {
      append_text(delta->text, generation, pieces.emplace_back());
    }
    builder_.add(event);
    if (!builder_.complete()) return;
    if (auto answer = builder_.take()) answers_.push_back(std::move(*answer));
    builder_ = AnswerBuilder();
    if (std::ssize(answers_) == request().generations) append_end(pieces.emplace_back());
  }

 private:
  const NativeRequest& request() const { return context_.request; }

  std::string whole() const {
    return render({context_.model, request(), answers_, request_id_, context_.now});
  }

  void append_text(std::string_view text, int generation, std::string& out) {
    out += "{\"text\":";
    append_reply_text(std::string(lead_.before(text)) + std::string(text), out);
    out += R"(,"is_finished":false,"event_type":"text-generation")";
    if (request().generations > 1) out += ",\"index\":" + std::to_string(generation);
    out += '}';
  }

  /// Clients leave at the first piece that says it is the end, so of several answers only the last
  /// one has it; why the others ended is in the whole reply that it carries then. The empty text is
  /// for those who read it of every piece.
  void append_end(std::string& out) {
    if (!request().streams_pieces) {
      out = whole();
      return;
    }
    out += R"({"text":"","is_finished":true,"event_type":"stream-end","finish_reason":")";
    out += finish_reason(answers_.back().stop_reason);
    out += '"';
    if (request().generations > 1) out += ",\"response\":" + whole();
    out += '}';
  }

  const StreamContext context_;
  const std::string request_id_;
  Lead lead_{{}};
  AnswerBuilder builder_;
  std::vector<Answer> answers_;
};

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return std::make_unique<CommandStream>(context);
}

}  // namespace

constinit const Family cohere_command{
    .name = "cohere.command",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = cohere_too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
