// DeepSeek-R1: a prompt in its template, and an answer that thinks first, up to `</think>`.
//
// Source: docs.aws.amazon.com "DeepSeek models".
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "families/members.h"
#include "families/mistral.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"deepseek.r1-"};

constexpr Schema tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{32768}};
constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"max_tokens", &tokens_schema},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"stop", &mistral_stop_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr Schema additional_schema{.type = JsonType::object};

constexpr std::string_view think_open = "<think>\n";
constexpr std::string_view think_close = "\n</think>\n\n";

/// Where the thoughts of an answer begin.
enum class Thoughts {
  in_answer,
  in_prompt,  ///< The prompt has opened them.
  nowhere,    ///< The prompt has closed them, or has begun what is said.
};

Thoughts thoughts_of(std::string_view prompt, const PromptTurns& read) {
  const std::string_view text = trimmed(prompt);
  if (text.ends_with("<think>")) return Thoughts::in_prompt;
  return read.prefilled() || text.ends_with("</think>") ? Thoughts::nowhere : Thoughts::in_answer;
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  const std::string_view prompt = text_member(body, "prompt");
  PromptTurns read = read_deepseek_marked(prompt);
  Conversation& conversation = request.conversation;
  const Thoughts thoughts = thoughts_of(prompt, read);
  conversation.reasoning.wanted = thoughts != Thoughts::nowhere;
  if (thoughts == Thoughts::in_prompt) request.lead = think_close;
  const bool is_marked = read.marked;
  conversation.system = std::move(read.system);
  conversation.turns = std::move(read.turns);
  Sampling& sampling = conversation.sampling;
  sampling.tokens_max = integer_member(body, "max_tokens");
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  sampling.stop_sequences = texts_member(body, "stop");
  std::erase(sampling.stop_sequences, "");
  if (is_marked)
    sampling.stop_sequences.emplace_back("<\uFF5CUser\uFF5C>");  // the user's next turn
  return request;
}

/// Converse has every member that this family knows.
Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest&) {
  return check_members(fields, additional_schema, model);
}

/// Puts tags around thoughts as they come. Where the prompt has opened them, no opening tag is
/// written and the closing one is, even of an answer without thoughts: callers split there.
class Tagger {
 public:
  explicit Tagger(const NativeRequest& request) : opened_(!request.lead.empty()) {}

  std::string thought(std::string_view text) {
    const bool opens = !std::exchange(opened_, true);
    return (opens ? std::string(think_open) : "") + std::string(text);
  }

  std::string said(std::string_view text) {
    const bool closes = std::exchange(opened_, false);
    return (closes ? std::string(think_close) : "") + std::string(text);
  }

 private:
  bool opened_;
};

std::string_view stop_reason(StopReason reason) {
  return reason == StopReason::max_tokens ? "length" : "stop";
}

std::string text_of_answer(const ReplyContext& context) {
  Tagger tagger(context.request);
  std::string text;
  for (const AnswerBlock& block : context.answer().content) {
    if (const auto* thought = std::get_if<ReasoningBlock>(&block))
      text += tagger.thought(thought->text);
    if (const auto* said = std::get_if<TextBlock>(&block)) text += tagger.said(said->text);
  }
  return text;
}

std::string piece(std::string_view text, std::string_view quoted_reason) {
  std::string out = "{\"choices\":[{\"text\":";
  append_reply_text(text, out);
  out += ",\"stop_reason\":";
  out += quoted_reason;
  return out + "}]}";
}

std::string render(const ReplyContext& context) {
  return piece(text_of_answer(context), json::quote(stop_reason(context.answer().stop_reason)));
}

class Stream : public StreamWriter {
 public:
  explicit Stream(const StreamContext& context) : tagger_(context.request) {}

  void write(const Event& event, int, std::vector<std::string>& pieces) override {
    if (const auto* thought = std::get_if<ReasoningDelta>(&event)) {
      pieces.push_back(piece(tagger_.thought(thought->text), "null"));
    } else if (const auto* said = std::get_if<TextDelta>(&event)) {
      if (!said->text.empty()) pieces.push_back(piece(tagger_.said(said->text), "null"));
    } else if (const auto* stop = std::get_if<MessageStop>(&event)) {
      reason_ = stop->reason;
    } else if (std::holds_alternative<Usage>(event)) {
      pieces.push_back(piece("", json::quote(stop_reason(reason_))));
    }
  }

 private:
  Tagger tagger_;
  StopReason reason_ = StopReason::end_turn;
};

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return std::make_unique<Stream>(context);
}

}  // namespace

constinit const Family deepseek_r1{
    .name = "deepseek.r1",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = mistral_too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
