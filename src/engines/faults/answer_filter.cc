#include "engines/faults/answer_filter.h"

#include <utility>
#include <variant>

#include "base/utf8.h"

namespace craton::engines::faults {

AnswerFilter::AnswerFilter(const Struck& struck) {
  for (const auto& fault : struck) {
    empty_ |= fault->kind == Kind::empty_answer;
    truncates_ |= fault->kind == Kind::truncated_tool_input;
  }
}

void AnswerFilter::pass(Event event, std::vector<Event>& out) {
  if (empty_) return pass_emptied(std::move(event), out);
  if (truncates_) return pass_truncated(std::move(event), out);
  out.push_back(std::move(event));
}

void AnswerFilter::pass_emptied(Event event, std::vector<Event>& out) {
  if (auto* usage = std::get_if<Usage>(&event)) usage->output_tokens = 0;
  if (auto* stop = std::get_if<MessageStop>(&event)) *stop = {};
  const bool kept = std::holds_alternative<MessageStart>(event) ||
                    std::holds_alternative<MessageStop>(event) ||
                    std::holds_alternative<Usage>(event) || std::holds_alternative<Failure>(event);
  if (kept) out.push_back(std::move(event));
}

// An answer that breaks off within a call is one that ran into its limit.
void AnswerFilter::pass_truncated(Event event, std::vector<Event>& out) {
  if (const auto* piece = std::get_if<ToolInputDelta>(&event)) {
    input_ += piece->json;
    return;
  }
  if (std::holds_alternative<ToolUseStop>(event)) {
    const std::string_view half = first_characters(input_, input_.size() / 2);
    if (!half.empty()) out.push_back(ToolInputDelta{std::string(half)});
    input_.clear();
    truncated_ = true;
  }
  if (auto* stop = std::get_if<MessageStop>(&event); stop && truncated_) {
    *stop = {StopReason::max_tokens, {}};
  }
  out.push_back(std::move(event));
}

}  // namespace craton::engines::faults
