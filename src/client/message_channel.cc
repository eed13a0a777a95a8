#include "client/message_channel.h"

#include <utility>

namespace craton::client {

Cancel MessageChannel::next(Callback callback) {
  std::unique_lock lock(mutex_);
  waiting_ = std::move(callback);
  tell(std::move(lock));
  return [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->cancel();
  };
}

void MessageChannel::cancel() {
  std::shared_ptr<http::Client::Transfer> transfer;
  {
    std::unique_lock lock(mutex_);
    cancelled_ = true;
    transfer = transfer_;
    tell(std::move(lock));
  }
  if (transfer) transfer->cancel();
}

void MessageChannel::follow(std::shared_ptr<http::Client::Transfer> transfer) {
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    transfer_ = transfer;
    cancelled = cancelled_;
  }
  if (cancelled) transfer->cancel();
}

bool MessageChannel::has_room() {
  const std::lock_guard lock(mutex_);
  held_up_ = messages_.size() >= messages_max;
  return !held_up_;
}

void MessageChannel::push(StreamMessage message) {
  std::unique_lock lock(mutex_);
  messages_.push_back(std::move(message));
  tell(std::move(lock));
}

void MessageChannel::end(std::optional<CallError> error) {
  std::unique_lock lock(mutex_);
  ended_ = true;
  error_ = std::move(error);
  tell(std::move(lock));
}

/// What a reader is to be told now; nullopt: nothing yet.
std::optional<Outcome<std::optional<StreamMessage>>> MessageChannel::take() {
  using Told = Outcome<std::optional<StreamMessage>>;
  if (cancelled_) {
    return Told(tl::unexpected(
        CallError{.kind = CallError::Kind::cancelled, .message = "the stream was given up"}));
  }
  if (!messages_.empty()) {
    Told told(std::move(messages_.front()));
    messages_.pop_front();
    return told;
  }
  if (!ended_) return std::nullopt;
  if (error_) return Told(tl::unexpected(*error_));
  return Told(std::nullopt);
}

/// Calls whoever waits, outside of the lock.
void MessageChannel::tell(std::unique_lock<std::mutex> lock) {
  if (!waiting_) return;
  auto told = take();
  if (!told) return;
  const Callback callback = std::exchange(waiting_, nullptr);
  const bool room_again = held_up_ && messages_.size() < messages_max / 2;
  if (room_again) held_up_ = false;
  const auto transfer = room_again ? transfer_ : nullptr;
  lock.unlock();
  if (transfer) transfer->resume();
  callback(std::move(*told));
}

}  // namespace craton::client
