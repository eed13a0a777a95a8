#include "converse/answer_text.h"

#include <algorithm>
#include <boost/json/value.hpp>

#include "base/json.h"

namespace craton::converse {
namespace {

/// A call whose input breaks off, or was never JSON; the caller gets an empty input for it.
bool is_malformed(const AnswerBlock& block) {
  const auto* use = std::get_if<ToolUseBlock>(&block);
  if (!use || use->input.empty()) return false;
  const Result<json::value> input = json::parse(use->input);
  return !input || !input->is_object();
}

}  // namespace

std::string usage_text(const Usage& usage, const Request& request, CacheCounts counts) {
  const int total = prompt_tokens(usage) + usage.output_tokens;
  std::string text = "{";
  const auto add = [&text](std::string_view name, int tokens) {
    if (text.size() > 1) text += ',';
    text += json::quote(name) + ':' + std::to_string(tokens);
  };
  if (request.conversation().caching) {
    if (usage.cache_write_tokens > 0) {
      text += "\"cacheDetails\":[{\"inputTokens\":" + std::to_string(usage.cache_write_tokens) +
              ",\"ttl\":\"" + (request.conversation().cache_life == CacheLife::hour ? "1h" : "5m") +
              "\"}]";
    }
    const bool both = counts == CacheCounts::under_both_names;
    if (both) add("cacheReadInputTokenCount", usage.cache_read_tokens);
    add("cacheReadInputTokens", usage.cache_read_tokens);
    if (both) add("cacheWriteInputTokenCount", usage.cache_write_tokens);
    add("cacheWriteInputTokens", usage.cache_write_tokens);
  }
  add("inputTokens", usage.input_tokens);
  add("outputTokens", usage.output_tokens);
  add("totalTokens", total);
  return text + "}";
}

std::string_view stop_reason_of(const Answer& answer) {
  switch (answer.stop_reason) {
    case StopReason::end_turn: return "end_turn";
    case StopReason::stop_sequence: return "stop_sequence";
    case StopReason::max_tokens: return "max_tokens";
    case StopReason::full_context: return "model_context_window_exceeded";
    case StopReason::tool_use: break;
  }
  return std::ranges::any_of(answer.content, is_malformed) ? "malformed_tool_use" : "tool_use";
}

std::string performance_text(const Request& request) {
  if (request.latency.empty()) return {};
  return ",\"performanceConfig\":{\"latency\":" + json::quote(request.latency) + "}";
}

std::string service_tier_text(const Request& request) {
  if (request.service_tier.empty()) return {};
  return ",\"serviceTier\":{\"type\":" + json::quote(request.service_tier) + "}";
}

}  // namespace craton::converse
