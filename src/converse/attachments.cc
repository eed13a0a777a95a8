#include "converse/attachments.h"

#include <algorithm>

#include "converse/refusals.h"

namespace craton::converse {

Result<void> check_attachments(const Conversation&) { return {}; }

Result<void> read_documents(Conversation& conversation) {
  const auto is_document = [](const auto& block) {
    return std::holds_alternative<DocumentBlock>(block);
  };
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) {
      const auto* result = std::get_if<ToolResultBlock>(&block);
      if (is_document(block) || (result && std::ranges::any_of(result->content, is_document))) {
        return Error{ErrorCode::not_implemented,
                     "Documents in Converse are not implemented by this server yet."};
      }
    }
  }
  return {};
}

}  // namespace craton::converse
