// AI21 Jurassic-2.
//
// Source: docs.aws.amazon.com "AI21 Labs Jurassic-2 models".
#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <utility>

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

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"temperature", &unit_schema},
    {"topP", &unit_schema},
    {"maxTokens", &tokens_schema},
    {"stopSequences", &texts_schema},
    {"countPenalty", &count_penalty},
    {"presencePenalty", &presence_penalty},
    {"frequencyPenalty", &frequency_penalty},
    {"numResults", &count_schema},
    {"minTokens", &count_schema},
    {"topKReturn", &count_schema},
    {"logitBias", &any_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr std::array<std::string_view, 3> penalties{"countPenalty", "presencePenalty",
                                                    "frequencyPenalty"};
constexpr std::array<std::string_view, 3> hints{"minTokens", "topKReturn", "logitBias"};

std::vector<std::string> ignored_fields(const json::object& body) {
  std::vector<std::string> ignored;
  for (const std::string_view name : penalties) {
    const json::value* penalty = body.if_contains(name);
    if (penalty && asks(penalty->get_object(), "scale")) ignored.emplace_back(name);
  }
  for (const std::string_view name : hints) {
    if (asks(body, name)) ignored.emplace_back(name);
  }
  return ignored;
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  if (integer_member(body, "numResults").value_or(1) > 1) {
    return not_supported("numResults", "Ask for one result");
  }
  NativeRequest request;
  request.echo = text_member(body, "prompt");
  request.lead = "\n";
  request.ignored_fields = ignored_fields(body);
  request.conversation.turns = {Turn{Role::user, {TextBlock{request.echo}}}};
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max = integer_member(body, "maxTokens").value_or(200);
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "topP");
  sampling.stop_sequences = texts_member(body, "stopSequences");
  return request;
}

/// Writes J2's token list. Its vocabulary is not to be had: words with the blanks before them stand
/// in for tokens, without likelihoods.
class TokenList {
 public:
  explicit TokenList(std::string& out) : out_(out) {}

  void add_text(std::string_view text) {
    while (!text.empty()) {
      const std::size_t size = token_size(text);
      add(text.front() == '\n' ? "<|newline|>" : spelled(text.substr(0, size)),
          code_points(text.substr(0, size)));
      text.remove_prefix(size);
    }
  }

  void add_end() { add("<|endoftext|>", 0); }

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

  void add(std::string_view token, std::size_t length) {
    if (!std::exchange(empty_, false)) out_ += ',';
    out_ += R"({"generatedToken":{"token":)";
    append_reply_text(token, out_);
    out_ += R"(,"logprob":0.0,"raw_logprob":0.0},"topTokens":null,"textRange":{"start":)";
    out_ += std::to_string(at_);
    at_ += length;
    out_ += ",\"end\":" + std::to_string(at_) + "}}";
  }

  std::string& out_;
  std::size_t at_ = 0;
  bool empty_ = true;
};

void append_text_and_tokens(std::string_view text, bool ended, std::string& out) {
  out += "{\"text\":";
  append_reply_text(text, out);
  out += ",\"tokens\":[";
  TokenList tokens(out);
  tokens.add_text(text);
  if (ended) tokens.add_end();
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
    case StopReason::max_tokens:
      out += R"({"reason":"length","length":)" + std::to_string(answer.usage.output_tokens) + "}";
  }
}

std::string render(const ReplyContext& context) {
  std::string out = "{\"id\":1234,\"prompt\":";  // the same number in every recorded reply
  append_text_and_tokens(context.request.echo, false, out);
  out += ",\"completions\":[{\"data\":";
  append_text_and_tokens(led_text(context.request, context.answer()),
                         context.answer().stop_reason == StopReason::end_turn, out);
  out += ",\"finishReason\":";
  append_finish_reason(context.answer(), out);
  return out + "}]}";
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
};

}  // namespace craton::families
