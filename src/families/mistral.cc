#include "families/mistral.h"

#include <string>

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

std::string_view mistral_stop_reason(StopReason reason) {
  return reason == StopReason::max_tokens ? "length" : "stop";
}

Error mistral_too_long(const InputTooLong& measured) {
  return {ErrorCode::validation, "This model's maximum context length is " +
                                     std::to_string(measured.context_tokens) +
                                     " tokens. Please reduce the length of the prompt"};
}

}  // namespace craton::families
