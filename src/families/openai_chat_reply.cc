#include "families/openai_chat_reply.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "conversation/openai_words.h"
#include "families/members.h"
#include "families/reply_text.h"

namespace craton::families {
namespace {

std::string_view finish_reason(StopReason reason) {
  return std::ranges::find(openai::finish_reasons, reason, &openai::FinishReason::reason)->word;
}

void append_reason(StopReason reason, const ChatReplyForm& form, std::string& out) {
  const std::string quoted = json::quote(finish_reason(reason));
  out += ",\"finish_reason\":" + quoted;
  if (form.has_stop_reason) out += ",\"stop_reason\":" + quoted;
}

/// What every object of one reply begins with, its brace included.
std::string head(const ModelContext& model, const NativeRequest& request,
                 std::string_view request_id, WallTime now, std::string_view object,
                 const ChatReplyForm& form) {
  std::string out = R"({"id":"chatcmpl-)" + std::string(request_id) + '"';
  if (!form.has_object) return out;
  const auto created = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  out += ",\"object\":" + json::quote(object) + ",\"created\":" + std::to_string(created.count());
  const std::string_view asked = text_member(request.body, "model");
  out += ",\"model\":";
  append_reply_text(asked.empty() ? model.model_id : asked, out);
  if (form.has_service_tier) out += R"(,"service_tier":"default")";
  return out;
}

void append_usage(const Usage& usage, const ChatReplyForm& form, std::string& out) {
  const int prompt = prompt_tokens(usage);
  out += "{\"prompt_tokens\":" + std::to_string(prompt) +
         ",\"completion_tokens\":" + std::to_string(usage.output_tokens) +
         ",\"total_tokens\":" + std::to_string(prompt + usage.output_tokens);
  if (form.has_prompt_details || usage.cache_read_tokens > 0) {
    out +=
        ",\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(usage.cache_read_tokens) +
        "}";
  }
  out += '}';
}

/// `,"logprobs":{…}`. What JSON cannot say is as unlikely as OpenAI's least.
void append_logprobs(std::span<const TokenLikelihood> likelihoods, std::string& out) {
  constexpr double least = -9999;
  out += ",\"logprobs\":{\"content\":[";
  for (const TokenLikelihood& token : likelihoods) {
    if (&token != likelihoods.data()) out += ',';
    out += "{\"token\":";
    append_reply_text(token.token, out);
    out += ",\"logprob\":";
    json::append_number(token.likelihood > least ? std::min(token.likelihood, 0.0) : least, out);
    out += ",\"bytes\":[";
    for (std::size_t i = 0; i < token.token.size(); ++i) {
      if (i > 0) out += ',';
      out += std::to_string(static_cast<unsigned char>(token.token[i]));
    }
    out += "],\"top_logprobs\":[]}";
  }
  out += "],\"refusal\":null}";
}

bool wants_logprobs(const NativeRequest& request) {
  return request.conversation.sampling.likelihoods != Likelihoods::none;
}

/// A message, put together from an answer's blocks.
struct Message {
  std::string content;   ///< JSON strings' insides are not escaped yet.
  std::string thoughts;  ///< For a member of their own.
  std::string calls;     ///< JSON, without brackets.
};

void add(const ToolUseBlock& call, const ChatReplyForm& form, Message& message) {
  std::string& out = message.calls;
  if (!out.empty()) out += ',';
  out += "{\"id\":" + json::quote(call.id.empty() ? form.call_id() : call.id) +
         R"(,"type":"function","function":{"name":)";
  append_reply_text(call.name, out);
  out += ",\"arguments\":";
  append_reply_text(call.input.empty() ? "{}" : std::string_view(call.input), out);
  out += "}}";
}

Message message_of(const Answer& answer, const ChatReplyForm& form) {
  Message message;
  for (const AnswerBlock& block : answer.content) {
    if (const auto* text = std::get_if<TextBlock>(&block)) message.content += text->text;
    if (const auto* call = std::get_if<ToolUseBlock>(&block)) add(*call, form, message);
    const auto* thoughts = std::get_if<ReasoningBlock>(&block);
    if (!thoughts) continue;
    if (form.thoughts.open.empty()) {
      message.thoughts += thoughts->text;
    } else {
      message.content += form.thoughts.open;
      message.content += thoughts->text;
      message.content += form.thoughts.close;
    }
  }
  return message;
}

void append_choice(const Answer& answer, std::size_t index, bool logprobs,
                   const ChatReplyForm& form, std::string& out) {
  const Message message = message_of(answer, form);
  out += "{\"index\":" + std::to_string(index) + R"(,"message":{"role":"assistant","content":)";
  if (message.content.empty() && !message.calls.empty() && !form.text_beside_calls) {
    out += "null";
  } else {
    append_reply_text(message.content, out);
  }
  if (!message.thoughts.empty()) {
    out += ",\"reasoning_content\":";
    append_reply_text(message.thoughts, out);
  }
  if (!message.calls.empty()) out += ",\"tool_calls\":[" + message.calls + "]";
  out += '}';
  if (logprobs) append_logprobs(answer.likelihoods, out);
  append_reason(answer.stop_reason, form, out);
  out += '}';
}

/// The prompt counts once, whatever the number of answers.
Usage usage_of_all(std::span<const Answer> answers) {
  Usage usage = answers.front().usage;
  for (const Answer& answer : answers.subspan(1)) usage.output_tokens += answer.usage.output_tokens;
  return usage;
}

bool asks_for_usage(const NativeRequest& request) {
  const json::value* options = request.body.if_contains("stream_options");
  return options && options->is_object() && asks(options->get_object(), "include_usage");
}

class ChatStream : public StreamWriter {
 public:
  ChatStream(const StreamContext& context, const ChatReplyForm& form)
      : form_(form),
        head_(head(context.model, context.request, context.request_id, context.now,
                   "chat.completion.chunk", form)),
        generations_(context.request.generations),
        logprobs_(wants_logprobs(context.request)),
        usage_piece_(form.usage_apart && asks_for_usage(context.request)) {}

  void write(const Event& event, int generation, std::vector<std::string>& pieces) override {
    pieces_ = &pieces;
    generation_ = generation;
    if (!std::holds_alternative<ReasoningDelta>(event)) end_thoughts();
    std::visit([this](const auto& step) { add(step); }, event);
  }

 private:
  /// A piece with `delta`, JSON text without braces, of the choice being written.
  std::string& begin_piece(std::string_view delta) {
    std::string& piece = pieces_->emplace_back(head_);
    piece += ",\"choices\":[{\"index\":" + std::to_string(generation_) + ",\"delta\":{";
    piece += delta;
    piece += '}';
    return piece;
  }

  void end_piece(std::string& piece) const { piece += usage_piece_ ? "}],\"usage\":null}" : "}]}"; }

  void add_delta(std::string_view delta) {
    std::string& piece = begin_piece(delta);
    append_no_reason(piece);
    end_piece(piece);
  }

  void append_no_reason(std::string& piece) const {
    piece += ",\"finish_reason\":null";
    if (form_.has_stop_reason) piece += ",\"stop_reason\":null";
  }

  void add_text(std::string_view member, std::string_view text) {
    std::string delta = json::quote(member) + ":";
    append_reply_text(text, delta);
    add_delta(delta);
  }

  void add(const MessageStart&) {
    calls_ = 0;
    add_delta(R"("role":"assistant","content":"")");
  }

  void add(const TextDelta& text) {
    if (text.text.empty() && text.likelihoods.empty()) return;
    if (!logprobs_) return add_text("content", text.text);
    std::string delta = "\"content\":";
    append_reply_text(text.text, delta);
    std::string& piece = begin_piece(delta);
    append_logprobs(text.likelihoods, piece);
    append_no_reason(piece);
    end_piece(piece);
  }

  void add(const ReasoningDelta& thought) {
    if (thought.text.empty()) return;
    if (form_.thoughts.open.empty()) return add_text("reasoning_content", thought.text);
    const bool first = !std::exchange(in_thoughts_, true);
    add_text("content", (first ? std::string(form_.thoughts.open) : "") + thought.text);
  }

  void end_thoughts() {
    if (std::exchange(in_thoughts_, false)) add_text("content", form_.thoughts.close);
  }

  void add_call(std::string_view members) {
    add_delta("\"tool_calls\":[{\"index\":" + std::to_string(calls_ - 1) + "," +
              std::string(members) + "}]");
  }

  void add(const ToolUseStart& call) {
    ++calls_;
    has_input_ = false;
    std::string members = "\"id\":" + json::quote(call.id.empty() ? form_.call_id() : call.id) +
                          R"(,"type":"function","function":{"name":)";
    append_reply_text(call.name, members);
    add_call(members + ",\"arguments\":\"\"}");
  }

  void add(const ToolInputDelta& input) {
    if (input.json.empty()) return;
    has_input_ = true;
    std::string members = "\"function\":{\"arguments\":";
    append_reply_text(input.json, members);
    add_call(members + "}");
  }

  void add(const ToolUseStop&) {
    if (!has_input_) add(ToolInputDelta{"{}"});
  }

  // The reason waits for the usage, which a native stream tells in the same piece.
  void add(const MessageStop& stop) { reason_ = stop.reason; }

  void add(const Usage& usage) {
    const int output_tokens = usage_.output_tokens + usage.output_tokens;
    usage_ = usage;
    usage_.output_tokens = output_tokens;
    std::string& piece = begin_piece("");
    append_reason(reason_, form_, piece);
    const bool is_last = generation_ + 1 == generations_;
    if (!is_last || form_.usage_apart) {
      end_piece(piece);
    } else {
      piece += "}],\"usage\":";
      append_usage(usage_, form_, piece);
      piece += '}';
    }
    if (is_last && usage_piece_) add_usage_piece();
  }

  void add_usage_piece() {
    std::string& piece = pieces_->emplace_back(head_);
    piece += ",\"choices\":[],\"usage\":";
    append_usage(usage_, form_, piece);
    piece += '}';
  }

  void add(const Failure&) {}  // never comes here

  const ChatReplyForm form_;
  const std::string head_;
  const int generations_;
  const bool logprobs_;
  const bool usage_piece_;
  std::vector<std::string>* pieces_ = nullptr;  // of the event being written
  int generation_ = 0;
  bool in_thoughts_ = false;
  int calls_ = 0;           // of this choice, so far
  bool has_input_ = false;  // the last call has
  StopReason reason_ = StopReason::end_turn;
  Usage usage_;
};

}  // namespace

std::string chat_reply(const ReplyContext& context, const ChatReplyForm& form) {
  std::string out = head(context.model, context.request, context.request_id, context.now,
                         "chat.completion", form);
  out += ",\"choices\":[";
  for (std::size_t i = 0; i < context.answers.size(); ++i) {
    if (i > 0) out += ',';
    append_choice(context.answers[i], i, wants_logprobs(context.request), form, out);
  }
  out += "],\"usage\":";
  append_usage(usage_of_all(context.answers), form, out);
  return out + "}";
}

std::unique_ptr<StreamWriter> chat_stream(const StreamContext& context, const ChatReplyForm& form) {
  return std::make_unique<ChatStream>(context, form);
}

}  // namespace craton::families
