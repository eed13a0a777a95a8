// RequestView: a Request as rules look at it: its texts, and its conversation as JSON, each made
// when first asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engines/request.h"

namespace craton::engines::rules {

/// The conversation in Converse's form, whatever form the caller used: `system`, `messages`,
/// `toolConfig`, `inferenceConfig`. Bytes of images and documents are left out.
json::value converse_form(const Conversation& conversation);

/// One request, on one thread. Holds as long as the request.
class RequestView {
 public:
  explicit RequestView(const Request& request);
  ~RequestView();
  RequestView(const RequestView&) = delete;
  RequestView& operator=(const RequestView&) = delete;

  const Request& request() const { return request_; }

  /// Text of the last turn of the user's: of a completed prompt, the prompt; of texts to be
  /// embedded or ranked, and of prompts for pictures, a line each.
  const std::string& last_user_text();
  const std::string& system_text();
  /// Text of the last turn's tool results, one after the other.
  const std::string& tool_result_text();
  /// The conversation in Converse's form, and beside it, of a native call, its `body`.
  const json::value& json();

  /// The results of tools in the last turn.
  std::vector<const ToolResultBlock*> tool_results() const;
  /// The name of the tool whose call had that id; empty when no turn has the call.
  std::string_view tool_of(std::string_view tool_use_id) const;
  /// Turns of the assistant's that are over.
  int answered_turns() const;

 private:
  const Request& request_;
  std::optional<std::string> last_user_text_;
  std::optional<std::string> system_text_;
  std::optional<std::string> tool_result_text_;
  std::unique_ptr<json::value> json_;
};

}  // namespace craton::engines::rules
