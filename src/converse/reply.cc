#include "converse/reply.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/base64.h"
#include "base/ids.h"
#include "converse/answer_text.h"
#include "families/reply_text.h"

namespace craton::converse {
namespace {

using families::append_reply_text;

/// The input of a call as JSON: an empty object where the model made none.
std::string_view input_of(const ToolUseBlock& use) {
  const Result<json::value> input = json::parse(use.input);
  return input && input->is_object() ? std::string_view(use.input) : "{}";
}

void append_block(const TextBlock& block, std::string& out) {
  out += "{\"text\":";
  append_reply_text(block.text, out);
  out += '}';
}

void append_block(const ReasoningBlock& block, std::string& out) {
  out += "{\"reasoningContent\":{";
  if (!block.redacted.empty()) {
    out += "\"redactedContent\":\"";
    append_base64(block.redacted, out);
    out += "\"}}";
    return;
  }
  out += "\"reasoningText\":{";
  if (!block.signature.empty()) {
    out += "\"signature\":";
    append_reply_text(block.signature, out);
    out += ',';
  }
  out += "\"text\":";
  append_reply_text(block.text, out);
  out += "}}}";
}

void append_block(const ToolUseBlock& block, std::string& out) {
  out += "{\"toolUse\":{\"input\":";
  out += input_of(block);
  out += ",\"name\":";
  append_reply_text(block.name, out);
  out += ",\"toolUseId\":";
  append_reply_text(block.id.empty() ? random_tool_use_id() : block.id, out);
  out += "}}";
}

/// Some models' answers have calls of tools or something else; theirs is what callers of such a
/// model send back in the next request, where the two together would be refused.
bool is_left_out(const Request& request, const Answer& answer, const AnswerBlock& block) {
  const auto is_use = [](const AnswerBlock& other) {
    return std::holds_alternative<ToolUseBlock>(other);
  };
  return request.separate_tool_turns && !is_use(block) &&
         std::ranges::any_of(answer.content, is_use);
}

std::string content_text(const Request& request, const Answer& answer) {
  std::string text = "[";
  for (const AnswerBlock& block : answer.content) {
    if (is_left_out(request, answer, block)) continue;
    if (text.size() > 1) text += ',';
    std::visit([&text](const auto& kind) { append_block(kind, text); }, block);
  }
  return text + "]";
}

}  // namespace

std::string render(const Request& request, const Answer& answer,
                   const json::object& additional_fields, Milliseconds latency) {
  std::string out = "{";
  if (!additional_fields.empty()) {
    out += "\"additionalModelResponseFields\":" + json::to_text(additional_fields) + ",";
  }
  out += "\"metrics\":{\"latencyMs\":" + std::to_string(latency.count()) + "}";
  out += ",\"output\":{\"message\":{\"content\":" + content_text(request, answer) +
         ",\"role\":\"assistant\"}}";
  out += performance_text(request);
  out += service_tier_text(request);
  out += ",\"stopReason\":";
  json::append_quoted(stop_reason_of(answer), out);
  out += ",\"usage\":" + usage_text(answer.usage, request, CacheCounts::plain) + "}";
  return out;
}

}  // namespace craton::converse
