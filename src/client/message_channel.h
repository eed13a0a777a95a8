// MessageChannel: an event stream's messages, between the HTTP client's thread and whoever reads
// them. The sender is held up while too many wait.
//
// Threads: any function may be called from any thread; at most one thread reads.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "craton/client.h"
#include "http/client.h"

namespace craton::client {

class MessageChannel : public StreamSource<StreamMessage>,
                       public std::enable_shared_from_this<MessageChannel> {
 public:
  static constexpr std::size_t messages_max = 256;

  using Callback = std::function<void(Outcome<std::optional<StreamMessage>>)>;

  // The reader's side.

  Cancel next(Callback callback) override;
  void cancel() override;

  // The HTTP client's side.

  void follow(std::shared_ptr<http::Client::Transfer> transfer);
  /// False when it is full: the transfer is resumed when there is room again.
  bool has_room();
  void push(StreamMessage message);
  /// Once, last; nullopt: all is well.
  void end(std::optional<CallError> error);

 private:
  std::optional<Outcome<std::optional<StreamMessage>>> take();
  void tell(std::unique_lock<std::mutex> lock);

  std::mutex mutex_;
  std::deque<StreamMessage> messages_;
  bool ended_ = false;
  bool cancelled_ = false;
  bool held_up_ = false;
  std::optional<CallError> error_;
  Callback waiting_;
  std::shared_ptr<http::Client::Transfer> transfer_;
};

}  // namespace craton::client
