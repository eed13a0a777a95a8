// AI21 Jurassic-2.
//
// Source: docs.aws.amazon.com "AI21 Labs Jurassic-2 models".
#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "families/members.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"ai21.j2-"};

constexpr Schema tokens_schema{
    .type = JsonType::integer,
    .minimum = Bound{0},
    .maximum_of = [](const ModelContext& model) -> std::optional<double> {
      return model.output_tokens_max.value_or(8191);
    }};

constexpr Schema presence_scale{.type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{5}};
constexpr Schema frequency_scale{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{500}};

// What a penalty applies to is spelled in several ways by the documents and by clients.
constexpr Property count_properties[] = {{"scale", &unit_schema}};
constexpr Property presence_properties[] = {{"scale", &presence_scale}};
constexpr Property frequency_properties[] = {{"scale", &frequency_scale}};
constexpr Schema count_penalty{.type = JsonType::object,
                               .properties = count_properties,
                               .unknown_keys = UnknownKeys::permitted};
constexpr Schema presence_penalty{.type = JsonType::object,
                                  .properties = presence_properties,
                                  .unknown_keys = UnknownKeys::permitted};
constexpr Schema frequency_penalty{.type = JsonType::object,
                                   .properties = frequency_properties,
                                   .unknown_keys = UnknownKeys::permitted};
constexpr Schema count_schema{.type = JsonType::integer, .minimum = Bound{0}};
// AI21's own limit.
constexpr Schema results_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{16}};
constexpr Schema one_result_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{1}};

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"temperature", &unit_schema},
    {"topP", &unit_schema},
    {"maxTokens", &tokens_schema},
    {"stopSequences", &texts_schema},
    {"countPenalty", &count_penalty},
    {"presencePenalty", &presence_penalty},
    {"frequencyPenalty", &frequency_penalty},
    {"numResults", &results_schema},
    {"minTokens", &count_schema},
    {"topKReturn", &count_schema},
    {"logitBias", &any_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

// A Converse reply has one answer.
constexpr Property additional_properties[] = {
    {"temperature", &unit_schema},
    {"topP", &unit_schema},
    {"maxTokens", &tokens_schema},
    {"stopSequences", &texts_schema},
    {"countPenalty", &count_penalty},
    {"presencePenalty", &presence_penalty},
    {"frequencyPenalty", &frequency_penalty},
    {"numResults", &one_result_schema},
    {"minTokens", &count_schema},
    {"topKReturn", &count_schema},
    {"logitBias", &any_schema},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

std::optional<double> scale_of(const json::object& members, std::string_view name) {
  const json::value* penalty = members.if_contains(name);
  return penalty ? number_member(penalty->get_object(), "scale") : std::nullopt;
}

/// J2's count penalty grows with each time that a token was generated, its presence penalty does
/// not. Its frequency penalty shrinks as the text grows, which no engine here has.
void read_penalties(const json::object& members, NativeRequest& request) {
  Sampling& sampling = request.conversation.sampling;
  if (const auto scale = scale_of(members, "countPenalty")) sampling.frequency_penalty = scale;
  if (const auto scale = scale_of(members, "presencePenalty")) sampling.presence_penalty = scale;
  if (scale_of(members, "frequencyPenalty").value_or(0) != 0) {
    request.ignored_fields.emplace_back("frequencyPenalty");
  }
}

void read_options(const json::object& members, NativeRequest& request) {
  Sampling& sampling = request.conversation.sampling;
  if (const auto tokens = integer_member(members, "maxTokens")) sampling.tokens_max = tokens;
  if (const auto number = number_member(members, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(members, "topP")) sampling.top_p = number;
  if (members.contains("stopSequences")) {
    sampling.stop_sequences = texts_member(members, "stopSequences");
  }
  read_penalties(members, request);
  for (const std::string_view name : {"minTokens", "topKReturn", "logitBias"}) {
    if (asks(members, name)) request.ignored_fields.emplace_back(name);
  }
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  request.echo = text_member(body, "prompt");
  request.lead = "\n";
  request.generations = integer_member(body, "numResults").value_or(1);
  request.conversation.turns = {Turn{Role::user, {TextBlock{request.echo}}}};
  request.conversation.sampling.tokens_max = 200;
  request.conversation.sampling.likelihoods = Likelihoods::generated;  // its replies have them
  read_options(body, request);
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_options(fields, request);
  return {};
}

/// Writes J2's token list. Where the model that answers does not tell its tokens, words with the
/// blanks before them stand in for them, without likelihoods.
class TokenList {
 public:
  explicit TokenList(std::string& out) : out_(out) {}

  void add_text(std::string_view text) {
    while (!text.empty()) {
      const std::size_t size = token_size(text);
      add(text.substr(0, size), 0);
      text.remove_prefix(size);
    }
  }

  void add_tokens(const std::vector<TokenLikelihood>& tokens) {
    for (const TokenLikelihood& token : tokens) {
      add(token.token, std::isfinite(token.likelihood) ? token.likelihood : 0);
    }
  }

  void add_end() { append("<|endoftext|>", 0, 0); }

 private:
  /// Bytes of the first token: a newline, or blanks and the word behind them.
  static std::size_t token_size(std::string_view text) {
    if (text.front() == '\n') return 1;
    const std::size_t word = text.find_first_not_of(' ');
    if (word == text.npos) return text.size();
    return std::min(text.find_first_of(" \n", word), text.size());
  }

  static std::string spelled(std::string_view token) {
    std::string text;
    for (const char c : token) c == ' ' ? text += "▁" : text += c;
    return text;
  }

  void add(std::string_view token, double likelihood) {
    append(token == "\n" ? "<|newline|>" : spelled(token), code_points(token), likelihood);
  }

  void append(std::string_view spelling, std::size_t length, double likelihood) {
    if (!std::exchange(empty_, false)) out_ += ',';
    out_ += R"({"generatedToken":{"token":)";
    append_reply_text(spelling, out_);
    out_ += ",\"logprob\":";
    json::append_number(likelihood, out_);
    out_ += ",\"raw_logprob\":";
    json::append_number(likelihood, out_);
    out_ += R"(},"topTokens":null,"textRange":{"start":)";
    out_ += std::to_string(at_);
    at_ += length;
    out_ += ",\"end\":" + std::to_string(at_) + "}}";
  }

  std::string& out_;
  std::size_t at_ = 0;
  bool empty_ = true;
};

void append_prompt(const std::string& text, std::string& out) {
  out += "{\"text\":";
  append_reply_text(text, out);
  out += ",\"tokens\":[";
  TokenList(out).add_text(text);
  out += "]}";
}

/// An answer's text and tokens. What the text begins with and no token has is the request's lead.
void append_data(const NativeRequest& request, const Answer& answer, std::string& out) {
  const std::string text = led_text(request, answer);
  out += "{\"text\":";
  append_reply_text(text, out);
  out += ",\"tokens\":[";
  TokenList tokens(out);
  if (answer.likelihoods.empty()) {
    tokens.add_text(text);
  } else {
    tokens.add_text(std::string_view(text).substr(0, text.size() - answer.text().size()));
    tokens.add_tokens(answer.likelihoods);
  }
  if (answer.stop_reason == StopReason::end_turn) tokens.add_end();
  out += "]}";
}

void append_finish_reason(const Answer& answer, std::string& out) {
  switch (answer.stop_reason) {
    case StopReason::end_turn: out += R"({"reason":"endoftext"})"; return;
    case StopReason::stop_sequence:
      out += R"({"reason":"stop","sequence":)";
      append_reply_text(answer.stop_sequence.value_or(std::string()), out);
      out += '}';
      return;
    case StopReason::tool_use:  // it calls none
    case StopReason::full_context:
    case StopReason::max_tokens:
      out += R"({"reason":"length","length":)" + std::to_string(answer.usage.output_tokens) + "}";
  }
}

std::string render(const ReplyContext& context) {
  std::string out = "{\"id\":1234,\"prompt\":";  // the same number in every recorded reply
  append_prompt(context.request.echo, out);
  out += ",\"completions\":[";
  for (const Answer& answer : context.answers) {
    out += &answer == &context.answers.front() ? "{\"data\":" : ",{\"data\":";
    append_data(context.request, answer, out);
    out += ",\"finishReason\":";
    append_finish_reason(answer, out);
    out += '}';
  }
  return out + "]}";
}

// AI21's sentence is not known; this one is Bedrock's for other providers.
Error too_long(const InputTooLong&) {
  return {ErrorCode::validation, "Input is too long for requested model."};
}

}  // namespace

constinit const Family jurassic2{
    .name = "ai21.j2",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .too_long = too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
