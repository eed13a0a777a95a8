#include "converse/stream.h"

#include <cassert>
#include <chrono>

#include "base/ids.h"
#include "base/json.h"
#include "converse/answer_text.h"
#include "event_stream/bedrock_events.h"
#include "families/reply_text.h"

namespace craton::converse {
namespace {

using families::append_reply_text;

/// The member `p`.
std::string padding() {
  return "\"p\":\"" + std::string(event_stream::padding(random_number())) + '"';
}

void append_frame(std::string_view event_type, std::string_view payload, std::string& out) {
  const auto framed = event_stream::append_event(event_type, payload, out);
  assert(framed && "a step of an answer is far below a frame's limit");
  (void)framed;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_reply_text(text, out);
  return out;
}

}  // namespace

void StreamWriter::write(const Event& event, std::string& out) {
  folded_.add(event);
  std::visit([&](const auto& kind) { take(kind, out); }, event);
}

void StreamWriter::take(const MessageStart&, std::string& out) {
  append_frame("messageStart", "{" + padding() + ",\"role\":\"assistant\"}", out);
}

void StreamWriter::take(const TextDelta& delta, std::string& out) {
  if (delta.text.empty()) return;
  open(Open::text, out);
  append_delta("{\"text\":" + quoted(delta.text) + "}", out);
}

void StreamWriter::take(const ReasoningDelta& delta, std::string& out) {
  if (delta.text.empty()) return;
  open(Open::reasoning, out);
  append_delta("{\"reasoningContent\":{\"text\":" + quoted(delta.text) + "}}", out);
}

void StreamWriter::take(const ToolUseStart& start, std::string& out) {
  close(out);
  open(Open::tool_use, out);
  append_frame("contentBlockStart",
               "{\"contentBlockIndex\":" + std::to_string(index_) + "," + padding() +
                   ",\"start\":{\"toolUse\":{\"name\":" + quoted(start.name) + ",\"toolUseId\":" +
                   quoted(start.id.empty() ? random_tool_use_id() : start.id) + "}}}",
               out);
}

void StreamWriter::take(const ToolInputDelta& delta, std::string& out) {
  append_delta("{\"toolUse\":{\"input\":" + quoted(delta.json) + "}}", out);
}

void StreamWriter::take(const ToolUseStop&, std::string& out) { close(out); }

void StreamWriter::take(const MessageStop&, std::string& out) { close(out); }

void StreamWriter::take(const Usage& usage, std::string& out) {
  const tl::expected<Answer, Failure> answer = folded_.take();
  if (!answer) return;
  std::string stop = "{";
  const json::object fields = additional_response_fields(provider_, *request_, *answer);
  if (!fields.empty()) stop += "\"additionalModelResponseFields\":" + json::to_text(fields) + ",";
  stop += padding() + ",\"stopReason\":" + quoted(stop_reason_of(*answer)) + "}";
  append_frame("messageStop", stop, out);

  const auto latency =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
  append_frame("metadata",
               "{\"metrics\":{\"latencyMs\":" + std::to_string(latency.count()) + "}," + padding() +
                   performance_text(*request_) + service_tier_text(*request_) + ",\"usage\":" +
                   usage_text(usage, *request_, CacheCounts::under_both_names) + "}",
               out);
}

void StreamWriter::open(Open kind, std::string& out) {
  if (open_ == kind) return;
  close(out);
  open_ = kind;
  ++index_;
}

void StreamWriter::close(std::string& out) {
  if (open_ == Open::none) return;
  open_ = Open::none;
  append_frame("contentBlockStop",
               "{\"contentBlockIndex\":" + std::to_string(index_) + "," + padding() + "}", out);
}

void StreamWriter::append_delta(std::string_view delta, std::string& out) const {
  append_frame("contentBlockDelta",
               "{\"contentBlockIndex\":" + std::to_string(index_) +
                   ",\"delta\":" + std::string(delta) + "," + padding() + "}",
               out);
}

}  // namespace craton::converse
