// A prompt string in the template of a model that was brought along: what imported models take.
//
// The template is told by its tokens: ChatML (Qwen), harmony (gpt-oss), Llama's headers, DeepSeek's
// tokens, [INST]. The reply is OpenAI's `text_completion`.
// Source: docs.aws.amazon.com "Invoke your imported model".
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "families/members.h"
#include "families/openai.h"
#include "families/openai_messages.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr Schema tokens_schema{.type = JsonType::integer, .minimum = Bound{1}};
constexpr Schema temperature_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{2}};
constexpr Schema top_k_schema{.type = JsonType::integer, .minimum = Bound{-1}};
constexpr Schema stops_schema{.type = JsonType::array, .size_max = 16, .items = &text_schema};
constexpr const Schema* stop_forms[] = {&text_schema, &stops_schema};
constexpr Schema stop_schema{.alternatives = stop_forms};

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"max_tokens", &tokens_schema},
    {"max_gen_len", &tokens_schema},
    {"temperature", &temperature_schema},
    {"top_p", &unit_schema},
    {"top_k", &top_k_schema},
    {"stop", &stop_schema},
};
constexpr Schema schema{
    .type = JsonType::object, .properties = properties, .nulls_are_absent = true};

/// A template, told by a token that only it has.
struct Template {
  std::string_view token;
  PromptTurns (*read)(std::string_view prompt);
  std::string_view next_turn;  ///< Where the user's next turn would begin.
};
constexpr std::array templates{
    Template{"<|im_start|>", read_chatml_marked, "<|im_start|>"},
    Template{"<|message|>", read_harmony_marked, "<|start|>"},
    Template{"<|start_header_id|>", read_header_marked, "<|start_header_id|>"},
    Template{"<|header_start|>", read_header_marked, "<|header_start|>"},
    Template{"<\uFF5CUser\uFF5C>", read_deepseek_marked, "<\uFF5CUser\uFF5C>"},
    Template{"[INST]", read_inst_marked, "[INST]"},
};

void read_prompt(std::string_view prompt, Conversation& conversation) {
  const auto form = std::ranges::find_if(
      templates, [prompt](const Template& row) { return prompt.find(row.token) != prompt.npos; });
  if (form == templates.end()) {
    conversation.turns = {Turn{Role::user, {TextBlock{std::string(prompt)}}}};
    return;
  }
  PromptTurns read = form->read(prompt);
  conversation.system = std::move(read.system);
  conversation.turns = std::move(read.turns);
  conversation.sampling.stop_sequences.emplace_back(form->next_turn);
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  Sampling& sampling = request.conversation.sampling;
  sampling.stop_sequences = openai_stops(body);
  read_prompt(text_member(body, "prompt"), request.conversation);
  for (const std::string_view name : {"max_gen_len", "max_tokens"}) {
    if (const auto tokens = integer_member(body, name)) sampling.tokens_max = tokens;
  }
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  if (const auto top_k = integer_member(body, "top_k")) sampling.top_k = std::max(*top_k, 0);
  return request;
}

/// What every piece of one reply begins with.
std::string head(const ModelContext& model, std::string_view request_id, WallTime now) {
  const auto created = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return "{\"id\":\"cmpl-" + std::string(request_id) +
         R"(","object":"text_completion","created":)" + std::to_string(created.count()) +
         ",\"model\":" + json::quote(model.model_id);
}

std::string choice(std::string_view text, std::string_view reason) {
  std::string out = R"(,"choices":[{"index":0,"text":)";
  append_reply_text(text, out);
  return out + ",\"finish_reason\":" + std::string(reason) + "}]";
}

std::string_view quoted_reason(StopReason reason) {
  return reason == StopReason::max_tokens ? "\"length\"" : "\"stop\"";
}

std::string usage_member(const Usage& usage) {
  const int prompt = prompt_tokens(usage);
  return ",\"usage\":{\"prompt_tokens\":" + std::to_string(prompt) +
         ",\"completion_tokens\":" + std::to_string(usage.output_tokens) +
         ",\"total_tokens\":" + std::to_string(prompt + usage.output_tokens) + "}";
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  return head(context.model, context.request_id, context.now) +
         choice(answer.text(), quoted_reason(answer.stop_reason)) + usage_member(answer.usage) +
         "}";
}

class Stream : public StreamWriter {
 public:
  explicit Stream(const StreamContext& context)
      : head_(head(context.model, context.request_id, context.now)) {}

  void write(const Event& event, int, std::vector<std::string>& pieces) override {
    if (const auto* said = std::get_if<TextDelta>(&event)) {
      if (!said->text.empty()) pieces.push_back(head_ + choice(said->text, "null") + "}");
    } else if (const auto* stop = std::get_if<MessageStop>(&event)) {
      reason_ = stop->reason;
    } else if (const auto* usage = std::get_if<Usage>(&event)) {
      pieces.push_back(head_ + choice("", quoted_reason(reason_)) + usage_member(*usage) + "}");
    }
  }

 private:
  const std::string head_;
  StopReason reason_ = StopReason::end_turn;
};

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return std::make_unique<Stream>(context);
}

}  // namespace

constinit const Family openai_completion{
    .name = "openai.completion",
    .id_prefixes = {},
    .shape = BodyShape::prompt,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = openai_too_long,
    .apply_additional = nullptr,
};

}  // namespace craton::families
