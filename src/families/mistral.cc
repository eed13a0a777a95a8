#include "families/mistral.h"

#include <string>

#include "families/members.h"

namespace craton::families {
namespace {

/// Mistral 7B and Mixtral, or Large and Small.
bool is_open_weights(std::string_view model_id) {
  return model_id.starts_with("mistral.mistral-7b-") || model_id.starts_with("mistral.mixtral-");
}

}  // namespace

// Source: docs.aws.amazon.com "Mistral AI text completion", "Mistral AI chat completion".
int mistral_tokens_default(std::string_view model_id) {
  return is_open_weights(model_id) ? 512 : 8192;
}

std::optional<double> mistral_tokens_max(const ModelContext& model) {
  return model.model_id.starts_with("mistral.mixtral-") ? 4096 : 8192;
}

void append_mistral_stop_reason(const MessageStop* stop, std::string& out) {
  if (!stop) {
    out += "null";
    return;
  }
  switch (stop->reason) {
    case StopReason::end_turn:
    case StopReason::stop_sequence: out += "\"stop\""; return;
    case StopReason::full_context:
    case StopReason::max_tokens: out += "\"length\""; return;
    case StopReason::tool_use: out += "\"tool_calls\""; return;
  }
}

void read_mistral_sampling(const json::object& members, Sampling& sampling) {
  if (const auto tokens = integer_member(members, "max_tokens")) sampling.tokens_max = tokens;
  if (const auto number = number_member(members, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(members, "top_p")) sampling.top_p = number;
  if (const auto number = integer_member(members, "top_k")) sampling.top_k = number;
  if (members.contains("stop")) sampling.stop_sequences = texts_member(members, "stop");
}

Error mistral_too_long(const InputTooLong& measured) {
  return {ErrorCode::validation, "This model's maximum context length is " +
                                     std::to_string(measured.context_tokens) +
                                     " tokens. Please reduce the length of the prompt"};
}

}  // namespace craton::families
