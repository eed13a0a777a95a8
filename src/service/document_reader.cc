#include "service/document_reader.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "documents/document_text.h"
#include "http/awaitable.h"

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

/// Where the worker that reads and the coroutine that waits meet.
class Reading {
 public:
  explicit Reading(Conversation conversation) : conversation_(std::move(conversation)) {}

  /// The worker's side.
  void run() {
    Result<Conversation> made = read(std::move(conversation_));
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      result_ = std::move(made);
      wake = std::move(wake_);
    }
    if (wake) wake();
  }

  void notify(std::function<void()> wake) {
    {
      const std::lock_guard lock(mutex_);
      if (!result_) {
        wake_ = std::move(wake);
        return;
      }
    }
    wake();
  }

  /// The result, when it is there.
  Result<Conversation> take() {
    const std::lock_guard lock(mutex_);
    return *std::move(result_);
  }

 private:
  Conversation conversation_;  // the worker's until result_ is there
  std::mutex mutex_;
  std::optional<Result<Conversation>> result_;
  std::function<void()> wake_;
};

}  // namespace

boost::asio::awaitable<Result<Conversation>> with_documents_read(WorkerPool& workers,
                                                                 Conversation conversation) {
  const auto reading = std::make_shared<Reading>(std::move(conversation));
  if (!workers.post([reading] { reading->run(); })) {
    co_return Error{ErrorCode::throttling, "Too many requests, please wait before trying again."};
  }
  const http::Subscribe subscribe = [reading](std::function<void()> wake) {
    reading->notify(std::move(wake));
  };
  co_await http::wait_until(subscribe, std::nullopt);
  co_return reading->take();
}

}  // namespace craton::service
