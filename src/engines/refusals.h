// What engines, and whoever asks them, refuse alike.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace craton::engines {

/// While a model loads. Source: Bedrock's ModelNotReadyException.
inline Error not_ready() {
  return {ErrorCode::model_not_ready,
          "Model is not ready for inference. Wait and try your request again."};
}

/// When the queue is full.
inline Error throttled() {
  return {ErrorCode::throttling, "Too many requests, please wait before trying again."};
}

inline Error timed_out() {
  return {ErrorCode::model_timeout,
          "Model has timed out in processing the request. Try your request again."};
}

inline Error model_broke() {
  return {ErrorCode::model_error,
          "The system encountered an unexpected error during processing. Try your request again."};
}

inline Error engine_stops() {
  return {ErrorCode::service_unavailable, "The model is being stopped. Try your request again."};
}

/// `text` without the folders of the absolute paths in it: what an operator is told, for callers.
inline std::string without_folders(std::string_view text) {
  std::string told;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = text[i] == '/' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\'');
    if (begins) {
      const std::string_view path = text.substr(i, text.find_first_of(" '", i) - i);
      i += path.rfind('/') + 1;
    }
    if (i < text.size()) told += text[i];
  }
  return told;
}

/// A model that failed, for the operator's `reason`.
inline Error not_loaded(std::string_view reason) {
  std::string message = "The model that answers here cannot be used: ";
  message += without_folders(reason);
  if (!message.ends_with('.')) message += '.';
  return {ErrorCode::model_error, message + " The server's log and `craton doctor` say more."};
}

}  // namespace craton::engines
