#include "families/mistral.h"

#include <string>

namespace craton::families {
namespace {

// Source: docs.aws.amazon.com "Mistral AI text completion", "Mistral AI chat completion".
constexpr MistralDefaults open_weights{512, 0.5, 0.9, 50};
constexpr MistralDefaults large{8192, 0.7, 1.0, std::nullopt};

}  // namespace

const MistralDefaults& mistral_defaults(std::string_view model_id) {
  const bool is_open = model_id.starts_with("mistral.mistral-7b-") ||
                       model_id.starts_with("mistral.mixtral-");
  return is_open ? open_weights : large;
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
