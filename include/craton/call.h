// What a client's functions give: a call that is sent when somebody waits for it, and a stream.
//
//   auto answer = client.converse(model, conversation).get();                 // waits
//   client.converse(model, conversation).then([](Outcome<Answer> answer) {}); // goes on
//   auto answer = co_await craton::wait(client.converse(model, conversation));  // craton/asio.h
//
//   for (const Event& event : *stream) …
//   if (stream->error()) …
//
// Threads: a Call or a Stream is one thread's at a time; a Cancel may be called from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace craton {

struct CallError {
  enum class Kind {
    configuration,  ///< What the client was told, or asked for, cannot be. Nothing was sent.
    credentials,    ///< There are none, or they cannot be had.
    connection,     ///< No connection, or it broke before an answer was whole.
    time_out,
    service,    ///< The service refused: `type`, `status` and `message` are its own.
    protocol,   ///< What came is no answer of Bedrock's.
    cancelled,  ///< By Cancel, or the client is gone.
  };
  Kind kind = Kind::service;
  std::string type = {};        ///< "ThrottlingException"; empty but for Kind::service.
  std::string message = {};     ///< One line.
  int status = 0;               ///< Of HTTP; 0 without an answer, and within a stream.
  std::string request_id = {};  ///< To tell AWS's support.
  int attempts = 0;             ///< Requests that were sent.
  bool retryable = false;       ///< Perhaps later.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;  ///< As the service says.
};

template <class T>
using Outcome = tl::expected<T, CallError>;

/// The throwing flavour: what unwrap() throws.
class CallFailure : public std::runtime_error {
 public:
  explicit CallFailure(CallError error)
      : std::runtime_error((error.type.empty() ? "" : error.type + ": ") + error.message),
        error_(std::move(error)) {}
  const CallError& error() const { return error_; }

 private:
  CallError error_;
};

/// The value, or an exception.
template <class T>
T unwrap(Outcome<T> outcome) {
  if (!outcome) throw CallFailure(std::move(outcome.error()));
  return std::move(*outcome);
}

/// Gives a call up, if it has not ended: it ends with Kind::cancelled. Idempotent.
using Cancel = std::function<void()>;

/// A request that is sent once: by get(), then() or wait().
template <class T>
class [[nodiscard]] Call {
 public:
  using Callback = std::function<void(Outcome<T>)>;
  using Start = std::function<Cancel(Callback)>;

  explicit Call(Start start) : start_(std::move(start)) {}

  /// Sends it, and waits for its end.
  Outcome<T> get() && {
    auto promise = std::make_shared<std::promise<Outcome<T>>>();
    auto future = promise->get_future();
    start_([promise](Outcome<T> outcome) { promise->set_value(std::move(outcome)); });
    return future.get();
  }

  /// Sends it; `callback` is called once, on the client's own thread, which it must not block, or
  /// at once. It must not call get().
  Cancel then(Callback callback) && { return start_(std::move(callback)); }

 private:
  Start start_;
};

/// What stands behind a Stream.
template <class T>
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  virtual Cancel next(std::function<void(Outcome<std::optional<T>>)> callback) = 0;
  virtual void cancel() = 0;
};

/// An answer that comes piece by piece. Letting go of it gives the rest up.
template <class T>
class Stream {
 public:
  explicit Stream(std::shared_ptr<StreamSource<T>> source, std::string request_id = {})
      : source_(std::move(source)), request_id_(std::move(request_id)) {}
  ~Stream() {
    if (source_) source_->cancel();
  }
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept {
    std::swap(source_, other.source_);
    std::swap(request_id_, other.request_id_);
    std::swap(error_, other.error_);
    return *this;
  }

  /// The next piece; nullopt after the last, an error when the answer breaks off.
  Call<std::optional<T>> next() {
    return Call<std::optional<T>>(
        [source = source_](typename Call<std::optional<T>>::Callback callback) {
          return source->next(std::move(callback));
        });
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    explicit Iterator(Stream* stream) : stream_(stream) { ++*this; }
    const T& operator*() const { return *current_; }
    const T* operator->() const { return &*current_; }
    Iterator& operator++() {
      current_ = stream_->next_or_end();
      if (!current_) stream_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.stream_ == b.stream_; }

   private:
    Stream* stream_ = nullptr;
    std::optional<T> current_;
  };

  /// Waits for each piece. The range ends at the answer's end, and at an error.
  Iterator begin() { return Iterator(this); }
  Iterator end() { return {}; }

  /// What ended the range, where it was not the answer's end.
  const std::optional<CallError>& error() const { return error_; }

  const std::string& request_id() const { return request_id_; }

  /// What stands behind it, taken away: for one who reads it as something else.
  std::shared_ptr<StreamSource<T>> take_source() { return std::move(source_); }

 private:
  std::optional<T> next_or_end() {
    Outcome<std::optional<T>> piece = next().get();
    if (piece) return std::move(*piece);
    error_ = std::move(piece.error());
    return std::nullopt;
  }

  std::shared_ptr<StreamSource<T>> source_;
  std::string request_id_;
  std::optional<CallError> error_;
};

}  // namespace craton
