#include "families/openai_responses_reply.h"

#include <boost/json.hpp>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "families/members.h"
#include "families/reply_text.h"

namespace craton::families {
namespace {

constexpr std::string_view completed = "completed";
constexpr std::string_view incomplete = "incomplete";
constexpr std::string_view in_progress = "in_progress";

std::string new_id(std::string_view prefix) {
  return std::string(prefix) + random_alphanumeric(32);
}

std::string quoted(std::string_view text) {
  std::string out;
  append_reply_text(text, out);
  return out;
}

std::string text_part(std::string_view text) {
  return R"({"type":"output_text","annotations":[],"logprobs":[],"text":)" + quoted(text) + "}";
}

std::string thought_part(std::string_view text) {
  return R"({"type":"reasoning_text","text":)" + quoted(text) + "}";
}

/// An item of the output without what is in it yet.
struct ItemHead {
  std::string id;
  std::string_view status;
};

std::string head_json(const ItemHead& head, std::string_view type) {
  return "{\"id\":\"" + head.id + "\",\"type\":\"" + std::string(type) + "\",\"status\":\"" +
         std::string(head.status) + '"';
}

/// `parts`: JSON, without brackets.
std::string message_item(const ItemHead& head, std::string_view parts) {
  return head_json(head, "message") + R"(,"role":"assistant","content":[)" + std::string(parts) +
         "]}";
}

std::string reasoning_item(const ItemHead& head, std::string_view parts) {
  return head_json(head, "reasoning") + ",\"summary\":[],\"content\":[" + std::string(parts) + "]}";
}

struct CallText {
  std::string call_id;
  std::string name;
  std::string arguments;
};

std::string call_item(const ItemHead& head, const CallText& call) {
  return head_json(head, "function_call") + ",\"arguments\":" + quoted(call.arguments) +
         ",\"call_id\":" + quoted(call.call_id) + ",\"name\":" + quoted(call.name) + "}";
}

/// What does not change while a response is made.
struct Fixed {
  std::string id;
  std::string created_at;
  std::string model;     ///< JSON
  std::string repeated;  ///< Members, each with a comma before.
};

std::string repeated_json(const NativeRequest& request) {
  std::string out;
  for (const RepeatedMember& member : repeated_members) {
    const json::value* asked = request.body.if_contains(member.name);
    out += "," + json::quote(member.name) + ":" +
           (asked ? json::to_text(*asked) : std::string(member.absent));
  }
  return out;
}

/// `resp_` and the request's id, a UUID, without its dashes.
std::string response_id(std::string_view request_id) {
  std::string id = "resp_";
  for (const char c : request_id) {
    if (c != '-') id += c;
  }
  return id;
}

Fixed fixed_of(const ModelContext& model, const NativeRequest& request, std::string_view request_id,
               WallTime now) {
  const auto created = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  const std::string_view asked = text_member(request.body, "model");
  return {.id = response_id(request_id),
          .created_at = std::to_string(created.count()),
          .model = quoted(asked.empty() ? model.model_id : asked),
          .repeated = repeated_json(request)};
}

std::string usage_json(const Usage& usage) {
  const int input = prompt_tokens(usage);
  return "{\"input_tokens\":" + std::to_string(input) +
         ",\"input_tokens_details\":{\"cached_tokens\":" + std::to_string(usage.cache_read_tokens) +
         ",\"cache_write_tokens\":" + std::to_string(usage.cache_write_tokens) +
         "},\"output_tokens\":" + std::to_string(usage.output_tokens) +
         ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":" +
         std::to_string(input + usage.output_tokens) + "}";
}

/// `output`: items, without brackets. `usage`: JSON.
std::string response_json(const Fixed& fixed, std::string_view status, const std::string& output,
                          const std::string& usage) {
  const std::string_view details =
      status == incomplete ? R"({"reason":"max_output_tokens"})" : "null";
  return "{\"id\":" + quoted(fixed.id) +
         ",\"object\":\"response\",\"created_at\":" + fixed.created_at + ",\"status\":\"" +
         std::string(status) +
         "\",\"background\":false,\"error\":null,\"incomplete_details\":" + std::string(details) +
         ",\"model\":" + fixed.model + ",\"output\":[" + output +
         "],\"previous_response_id\":null,\"store\":false,\"service_tier\":\"default\"" +
         fixed.repeated + ",\"usage\":" + usage + "}";
}

std::string_view status_of(StopReason reason) {
  return reason == StopReason::max_tokens ? incomplete : completed;
}

std::string or_empty_object(std::string input) { return input.empty() ? "{}" : input; }

struct WholeItem {
  std::string_view status;

  std::string operator()(const TextBlock& block) const {
    return message_item({new_id("msg_"), status}, text_part(block.text));
  }
  std::string operator()(const ReasoningBlock& block) const {
    return reasoning_item({new_id("rs_"), status}, thought_part(block.text));
  }
  std::string operator()(const ToolUseBlock& block) const {
    return call_item({new_id("fc_"), status}, {block.id.empty() ? new_id("call_") : block.id,
                                               block.name, or_empty_object(block.input)});
  }
};

class Stream : public StreamWriter {
 public:
  explicit Stream(const StreamContext& context)
      : fixed_(fixed_of(context.model, context.request, context.request_id, context.now)) {}

  void write(const Event& event, int, std::vector<std::string>& pieces) override {
    pieces_ = &pieces;
    std::visit([this](const auto& step) { add(step); }, event);
  }

 private:
  enum class Kind { nothing, message, reasoning, call };

  void piece(std::string_view type, const std::string& members) {
    pieces_->push_back("{\"type\":\"response." + std::string(type) + "\",\"sequence_number\":" +
                       std::to_string(sequence_++) + "," + members + "}");
  }

  std::string index() const { return "\"output_index\":" + std::to_string(index_); }

  /// Where in the output a delta belongs.
  std::string place() const { return "\"item_id\":\"" + id_ + "\"," + index(); }
  std::string part_place() const { return place() + ",\"content_index\":0"; }

  std::string item(std::string_view status, std::string_view parts) const {
    switch (kind_) {
      case Kind::message: return message_item({id_, status}, parts);
      case Kind::reasoning: return reasoning_item({id_, status}, parts);
      case Kind::call: return call_item({id_, status}, call_);
      case Kind::nothing: break;
    }
    return "null";
  }

  std::string part() const {
    return kind_ == Kind::message ? text_part(text_) : thought_part(text_);
  }

  void open(Kind kind, std::string_view id_prefix) {
    close(completed);
    kind_ = kind;
    id_ = new_id(id_prefix);
    text_.clear();
    piece("output_item.added", index() + ",\"item\":" + item(in_progress, ""));
    if (kind != Kind::call) piece("content_part.added", part_place() + ",\"part\":" + part());
  }

  /// Ends the open item, when one is.
  void close(std::string_view status) {
    if (kind_ == Kind::nothing) return;
    std::string whole;
    if (kind_ == Kind::call) {
      call_.arguments = or_empty_object(std::move(call_.arguments));
      piece("function_call_arguments.done", place() + ",\"name\":" + quoted(call_.name) +
                                                ",\"arguments\":" + quoted(call_.arguments));
      whole = item(status, "");
    } else {
      end_part();
      whole = item(status, part());
    }
    piece("output_item.done", index() + ",\"item\":" + whole);
    if (!output_.empty()) output_ += ',';
    output_ += whole;
    ++index_;
    kind_ = Kind::nothing;
  }

  void end_part() {
    const std::string text = ",\"text\":" + quoted(text_);
    if (kind_ == Kind::message) {
      piece("output_text.done", part_place() + text + ",\"logprobs\":[]");
    } else {
      piece("reasoning_text.done", part_place() + text);
    }
    piece("content_part.done", part_place() + ",\"part\":" + part());
  }

  void add(const MessageStart&) {
    const std::string response = "\"response\":" + response_json(fixed_, in_progress, "", "null");
    piece("created", response);
    piece("in_progress", response);
  }

  void add(const TextDelta& delta) {
    if (delta.text.empty()) return;
    if (kind_ != Kind::message) open(Kind::message, "msg_");
    text_ += delta.text;
    piece("output_text.delta",
          part_place() + ",\"delta\":" + quoted(delta.text) + ",\"logprobs\":[]");
  }

  void add(const ReasoningDelta& delta) {
    if (delta.text.empty()) return;
    if (kind_ != Kind::reasoning) open(Kind::reasoning, "rs_");
    text_ += delta.text;
    piece("reasoning_text.delta", part_place() + ",\"delta\":" + quoted(delta.text));
  }

  void add(const ToolUseStart& start) {
    close(completed);
    call_ = {start.id.empty() ? new_id("call_") : start.id, start.name, ""};
    open(Kind::call, "fc_");
  }

  void add(const ToolInputDelta& delta) {
    if (delta.json.empty()) return;
    call_.arguments += delta.json;
    piece("function_call_arguments.delta", place() + ",\"delta\":" + quoted(delta.json));
  }

  void add(const ToolUseStop&) { close(completed); }

  void add(const MessageStop& stop) {
    status_ = status_of(stop.reason);
    close(status_);
  }

  void add(const Usage& usage) {
    piece(status_, "\"response\":" + response_json(fixed_, status_, output_, usage_json(usage)));
  }

  void add(const Failure&) {}  // never comes here

  const Fixed fixed_;
  std::vector<std::string>* pieces_ = nullptr;  // of the event being written
  int sequence_ = 0;
  int index_ = 0;       // of the item that is open, or comes next
  std::string output_;  // the items that are done
  Kind kind_ = Kind::nothing;
  std::string id_;    // of the open item
  std::string text_;  // of the open message or thought, so far
  CallText call_;     // the open call, so far
  std::string_view status_ = completed;
};

}  // namespace

std::string responses_reply(const ReplyContext& context) {
  const Answer& answer = context.answer();
  const std::string_view status = status_of(answer.stop_reason);
  std::string output;
  for (const AnswerBlock& block : answer.content) {
    if (!output.empty()) output += ',';
    const bool is_last = &block == &answer.content.back();
    output += std::visit(WholeItem{is_last ? status : completed}, block);
  }
  return response_json(fixed_of(context.model, context.request, context.request_id, context.now),
                       status, output, usage_json(answer.usage));
}

std::unique_ptr<StreamWriter> responses_stream(const StreamContext& context) {
  return std::make_unique<Stream>(context);
}

}  // namespace craton::families
