// What callers are told when an answer fails for reasons that are not theirs.
#pragma once

#include "base/error.h"

namespace craton::engines::llama {

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

}  // namespace craton::engines::llama
