// What Cohere's families share.
#pragma once

#include <string>

#include "base/error.h"
#include "conversation/event.h"

namespace craton::families {

/// Cohere's own sentence; what Bedrock passes on of it is not known.
inline Error cohere_too_long(const InputTooLong& measured) {
  return {ErrorCode::validation,
          "too many tokens: total number of tokens in the prompt cannot exceed " +
              std::to_string(measured.context_tokens) + " - received " +
              std::to_string(measured.input_tokens) + ". Try using a shorter prompt."};
}

}  // namespace craton::families
