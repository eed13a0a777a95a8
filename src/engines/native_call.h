// A call and its answer in the form of the model's provider, as they travel: opaque to engines, and
// made for those who answer in that form themselves: AWS, and what was recorded.
//
// Plain values: no I/O, no threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace craton::engines {

/// Refers to the caller's request, which may hold megabytes of pictures; who answers later copies.
struct NativeCall {
  std::string_view body;    ///< JSON
  std::string_view accept;  ///< The content type that the caller asks for; may be empty.
};

struct NativeReply {
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< That tell of the body.
  std::optional<int> input_tokens = std::nullopt;
  std::string stand_in = {};  ///< What of it no model made: "384 numbers mapped to 1024".

  friend bool operator==(const NativeReply&, const NativeReply&) = default;
};

}  // namespace craton::engines
