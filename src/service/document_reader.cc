#include "service/document_reader.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "documents/document_text.h"
#include "service/off_thread.h"

namespace craton::service {
namespace {

/// What a model is shown of a document.
Result<TextBlock> text_of(const DocumentBlock& document) {
  CRATON_TRY_ASSIGN(const std::string text,
                    documents::document_text(document.format, document.bytes));
  std::string shown = "\n[Document: " + document.name + "]\n";
  if (!document.context.empty()) shown += document.context + "\n";
  shown += text;
  shown += "\n[End of document]\n";
  return TextBlock{std::move(shown)};
}

template <class Block>
Result<void> read_block(Block& block) {
  const auto* document = std::get_if<DocumentBlock>(&block);
  if (!document) return {};
  CRATON_TRY_ASSIGN(block, text_of(*document));
  return {};
}

Result<Conversation> read(Conversation conversation) {
  for (Turn& turn : conversation.turns) {
    for (ContentBlock& block : turn.content) {
      CRATON_TRY(read_block(block));
      auto* result = std::get_if<ToolResultBlock>(&block);
      if (!result) continue;
      for (ToolResultPart& part : result->content) CRATON_TRY(read_block(part));
    }
  }
  return conversation;
}

}  // namespace

boost::asio::awaitable<Result<Conversation>> with_documents_read(WorkerPool& workers,
                                                                 Conversation conversation) {
  const auto unread = std::make_shared<Conversation>(std::move(conversation));
  std::function<Result<Conversation>()> work = [unread] { return read(std::move(*unread)); };
  Result<Conversation> made = co_await off_thread(workers, std::move(work));
  co_return made;
}

}  // namespace craton::service
