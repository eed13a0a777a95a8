// EventBody: a response's body made of an answer's events, while they come.
//
//   Generation ── events ──► EventWriter ── bytes ──► the connection
//
// What has come by the time the connection has room goes out together: one event a write when the
// reader keeps up, more when it does not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conversation/event.h"
#include "http/body_stream.h"
#include "service/invocation.h"

namespace craton::service {

/// Writes events down in some framing: an AWS event stream, server-sent events.
class EventWriter {
 public:
  virtual ~EventWriter() = default;

  /// Appends what `event` of the `generation`-th answer brings, nothing or more. After the last
  /// one's Usage, and after any Failure, nothing more comes.
  virtual void write(const Event& event, int generation, std::string& out) = 0;
};

class EventBody : public http::BodyStream {
 public:
  /// `first`: the event of the first answer that was waited for before the response began.
  EventBody(Event first, std::vector<Running> running, std::unique_ptr<EventWriter> writer,
            std::shared_ptr<Account> account);

  boost::asio::awaitable<std::optional<std::string>> next() override;

  /// Appends `error` in the stream's own form. Call no next() afterwards.
  void append_failure(Error error, std::string& out) {
    writer_->write(Failure{std::move(error), std::nullopt}, static_cast<int>(current_), out);
  }

 private:
  void take(const Event& event);

  std::optional<Event> first_;
  std::vector<Running> running_;  // answers, delivered one after the other
  std::size_t current_ = 0;
  std::unique_ptr<EventWriter> writer_;
  std::shared_ptr<Account> account_;
  std::string bytes_;
};

}  // namespace craton::service
