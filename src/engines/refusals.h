// What engines, and whoever asks them, refuse alike.
#pragma once

#include "base/error.h"

namespace craton::engines {

/// While a model loads. Source: Bedrock's ModelNotReadyException.
inline Error not_ready() {
  return {ErrorCode::model_not_ready,
          "Model is not ready for inference. Wait and try your request again."};
}

}  // namespace craton::engines
