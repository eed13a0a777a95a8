#include "families/anthropic_reply.h"

#include <boost/json/object.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/sha256.h"
#include "families/anthropic_model.h"
#include "families/members.h"
#include "families/reply_text.h"

namespace craton::families {
namespace {

constexpr std::string_view stop_reason(StopReason reason) {
  switch (reason) {
    case StopReason::end_turn: return "end_turn";
    case StopReason::stop_sequence: return "stop_sequence";
    case StopReason::tool_use: return "tool_use";
    case StopReason::full_context: return "model_context_window_exceeded";
    case StopReason::max_tokens: break;
  }
  return "max_tokens";
}

/// A call's, where it has one already.
std::string tool_use_id(const std::string& given) {
  return given.empty() ? random_anthropic_id("toolu_bdrk_") : given;
}

/// What the answer's thoughts look like to the caller.
enum class Thoughts {
  hidden,   ///< Thinking was not asked for: there are none.
  omitted,  ///< There are some, and only their seal is shown.
  shown,
};

Thoughts thoughts_of(const NativeRequest& request) {
  if (!request.conversation.reasoning.wanted) return Thoughts::hidden;
  const json::value* thinking = request.body.if_contains("thinking");
  const bool omitted = thinking && text_member(thinking->get_object(), "display") == "omitted";
  return omitted ? Thoughts::omitted : Thoughts::shown;
}

/// A thinking block's signature. Anthropic's proves that the thoughts are the model's own; callers
/// only hand it back, so the same thoughts having the same seal is all that is needed here.
std::string seal_text(Sha256& seal) {
  std::string text;
  append_base64(seal.hex(), text);
  return text;
}

void append_head(const ModelContext& model, std::string& out) {
  out += "{\"id\":\"";
  out += random_anthropic_id(is_completion_claude(model.model_id) ? "compl_" : "msg_bdrk_");
  out += R"(","type":"message","role":"assistant","model":)";
  json::append_quoted(anthropic_name(model.model_id), out);
  out += ",\"content\":[";
}

void append_usage(const ModelContext& model, CacheLife life, const Usage& usage, std::string& out) {
  out += "\"usage\":{\"input_tokens\":" + std::to_string(usage.input_tokens);
  if (counts_cached_tokens(model.model_id)) {
    out += ",\"cache_creation_input_tokens\":" + std::to_string(usage.cache_write_tokens) +
           ",\"cache_read_input_tokens\":" + std::to_string(usage.cache_read_tokens);
  }
  if (splits_cached_tokens(model.model_id)) {
    const bool hour = life == CacheLife::hour;
    out += ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":" +
           std::to_string(hour ? 0 : usage.cache_write_tokens) +
           ",\"ephemeral_1h_input_tokens\":" + std::to_string(hour ? usage.cache_write_tokens : 0) +
           "}";
  }
  out += ",\"output_tokens\":" + std::to_string(usage.output_tokens) + "}";
}

void append_stop(StopReason reason, const std::optional<std::string>& sequence, std::string& out) {
  out += "\"stop_reason\":\"";
  out += stop_reason(reason);
  out += "\",\"stop_sequence\":";
  sequence ? append_reply_text(*sequence, out) : void(out += "null");
}

/// Appends an answer's block, when the caller is to see it.
class BlockWriter {
 public:
  BlockWriter(Thoughts thoughts, std::string& out) : thoughts_(thoughts), out_(out) {}

  void operator()(const TextBlock& block) {
    begin(R"({"type":"text","text":)");
    append_reply_text(block.text, out_);
    out_ += '}';
  }

  void operator()(const ReasoningBlock& block) {
    if (thoughts_ == Thoughts::hidden) return;
    if (!block.redacted.empty()) {
      begin(R"({"type":"redacted_thinking","data":)");
      append_reply_text(block.redacted, out_);
    } else {
      begin(R"({"type":"thinking","thinking":)");
      append_reply_text(thoughts_ == Thoughts::shown ? block.text : std::string(), out_);
      Sha256 seal;
      seal.add(block.text);
      out_ += ",\"signature\":\"" + seal_text(seal) + '"';
    }
    out_ += '}';
  }

  void operator()(const ToolUseBlock& block) {
    begin(R"({"type":"tool_use","id":)" + json::quote(tool_use_id(block.id)) + R"(,"name":)");
    append_reply_text(block.name, out_);
    out_ += ",\"input\":";
    append_tool_input(block.input, out_);
    out_ += '}';
  }

 private:
  void begin(std::string_view head) {
    if (!std::exchange(empty_, false)) out_ += ',';
    out_ += head;
  }

  const Thoughts thoughts_;
  std::string& out_;
  bool empty_ = true;
};

class MessagesStream : public StreamWriter {
 public:
  explicit MessagesStream(const StreamContext& context)
      : model_(context.model),
        thoughts_(thoughts_of(context.request)),
        life_(context.request.conversation.cache_life) {}

  void write(const Event& event, int /*generation*/, std::vector<std::string>& pieces) override {
    pieces_ = &pieces;
    std::visit([this](const auto& each) { on(each); }, event);
  }

 private:
  enum class Block { none, text, thinking, tool_use };

  void on(const MessageStart& start) {
    std::string& piece = begin_piece("message_start");
    piece += ",\"message\":";
    append_head(model_, piece);
    piece += "],\"stop_reason\":null,\"stop_sequence\":null,";
    Usage usage = start.usage;
    usage.output_tokens = 1;  // recorded streams begin with a small number, never 0
    append_usage(model_, life_, usage, piece);
    piece += "}}";
  }

  void on(const TextDelta& delta) {
    if (delta.text.empty()) return;
    if (open_ != Block::text) open(Block::text, R"({"type":"text","text":""})");
    append_delta(R"({"type":"text_delta","text":)", delta.text);
  }

  void on(const ReasoningDelta& delta) {
    if (thoughts_ == Thoughts::hidden || delta.text.empty()) return;
    if (open_ != Block::thinking) {
      open(Block::thinking, R"({"type":"thinking","thinking":"","signature":""})");
      seal_ = Sha256();
    }
    seal_.add(delta.text);
    if (thoughts_ == Thoughts::shown) {
      append_delta(R"({"type":"thinking_delta","thinking":)", delta.text);
    }
  }

  void on(const ToolUseStart& start) {
    std::string block =
        R"({"type":"tool_use","id":)" + json::quote(tool_use_id(start.id)) + R"(,"name":)";
    append_reply_text(start.name, block);
    open(Block::tool_use, block + R"(,"input":{}})");
    append_delta(input_delta, {});  // as recorded
  }

  void on(const ToolInputDelta& delta) {
    if (open_ == Block::tool_use && !delta.json.empty()) append_delta(input_delta, delta.json);
  }

  void on(const ToolUseStop&) { close(); }

  void on(const MessageStop& stop) {
    close();
    stop_ = stop;
  }

  void on(const Usage& usage) {
    close();
    std::string& piece = begin_piece("message_delta");
    piece += ",\"delta\":{";
    append_stop(stop_.reason, stop_.stop_sequence, piece);
    piece += "},\"usage\":{\"output_tokens\":" + std::to_string(usage.output_tokens) + "}}";
    begin_piece("message_stop") += '}';
  }

  void on(const Failure&) {}

  void open(Block block, std::string_view content) {
    close();
    open_ = block;
    std::string& piece = begin_piece("content_block_start");
    piece += ",\"index\":" + std::to_string(index_) + ",\"content_block\":";
    piece += content;
    piece += '}';
  }

  void close() {
    if (open_ == Block::none) return;
    if (open_ == Block::thinking) {
      append_delta(R"({"type":"signature_delta","signature":)", seal_text(seal_));
    }
    begin_piece("content_block_stop") += ",\"index\":" + std::to_string(index_) + "}";
    open_ = Block::none;
    ++index_;
  }

  void append_delta(std::string_view head, std::string_view text) {
    std::string& piece = begin_piece("content_block_delta");
    piece += ",\"index\":" + std::to_string(index_) + ",\"delta\":";
    piece += head;
    append_reply_text(text, piece);
    piece += "}}";
  }

  std::string& begin_piece(std::string_view type) {
    std::string& piece = pieces_->emplace_back("{\"type\":\"");
    piece += type;
    piece += '"';
    return piece;
  }

  static constexpr std::string_view input_delta = R"({"type":"input_json_delta","partial_json":)";

  const ModelContext& model_;
  const Thoughts thoughts_;
  const CacheLife life_;
  std::vector<std::string>* pieces_ = nullptr;  ///< Of the event being written.
  Block open_ = Block::none;
  int index_ = 0;  ///< Of the open block, or the next.
  Sha256 seal_;    ///< Of the open block's thoughts.
  MessageStop stop_;
};

}  // namespace

std::string anthropic_reply(const ReplyContext& context) {
  const Answer& answer = context.answer();
  std::string out;
  append_head(context.model, out);
  BlockWriter write_block(thoughts_of(context.request), out);
  for (const AnswerBlock& block : answer.content) std::visit(write_block, block);
  out += "],";
  append_stop(answer.stop_reason, answer.stop_sequence, out);
  out += ',';
  append_usage(context.model, context.request.conversation.cache_life, answer.usage, out);
  return out + "}";
}

std::unique_ptr<StreamWriter> anthropic_stream(const StreamContext& context) {
  return std::make_unique<MessagesStream>(context);
}

}  // namespace craton::families
