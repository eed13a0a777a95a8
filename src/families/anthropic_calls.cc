#include "families/anthropic_calls.h"

#include <utility>

#include "base/utf8.h"
#include "families/schema.h"

namespace craton::families {
namespace {

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

}  // namespace

Result<void> AnthropicCalls::begin_message(Role role, std::size_t message) {
  message_ = message;
  if (role == role_) return {};
  role_ = role;
  if (role == Role::user) {
    results_come_first_ = true;
    return {};
  }
  CRATON_TRY(finish());
  calls_.clear();
  answered_.clear();
  return {};
}

Result<void> AnthropicCalls::add_use(std::string_view id, const std::string& at) {
  if (!seen_.insert(id).second) return refused(at + ": `tool_use` ids must be unique");
  if (calls_.empty()) calls_message_ = message_;
  calls_.push_back(id);
  answered_.emplace(id, false);
  return {};
}

Result<void> AnthropicCalls::add_result(std::string_view id, const std::string& at) {
  const auto call = answered_.find(id);
  const std::string named(first_characters(id, repeated_text_max));
  if (call == answered_.end()) {
    return refused(at + ": unexpected `tool_use_id` found in `tool_result` blocks: " + named +
                   ". Each `tool_result` block must have a corresponding `tool_use` block in the "
                   "previous message.");
  }
  if (call->second) {
    return refused(at +
                   ": each tool_use must have a single result. Found multiple `tool_result` blocks "
                   "with id: " +
                   named);
  }
  call->second = results_come_first_;
  return {};
}

Result<void> AnthropicCalls::finish() const {
  std::string missing;
  for (const std::string_view id : calls_) {
    if (answered_.at(id)) continue;
    missing += missing.empty() ? "" : ", ";
    missing += first_characters(id, repeated_text_max);
    if (missing.size() > repeated_text_max) break;
  }
  if (missing.empty()) return {};
  return refused(
      "messages." + std::to_string(calls_message_) +
      ": `tool_use` ids were found without `tool_result` blocks immediately after: " + missing +
      ". Each `tool_use` block must have a corresponding `tool_result` block in the next "
      "message.");
}

}  // namespace craton::families
