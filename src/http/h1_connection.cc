#include "http/h1_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <ctime>
#include <exception>
#include <utility>

#include "http/body_pace.h"
#include "http/exchange.h"

namespace craton::http {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using std::chrono::steady_clock;

// Requests that a client pipelines behind one in progress wait in memory up to here; more waits in
// the kernel, and a peer that goes away behind more than that goes unnoticed until the answer.
constexpr std::size_t pipelined_bytes_max = 64 * 1024;

// Of a stream, bytes that may wait for those behind them, as long as these come at once.
constexpr std::size_t held_bytes_max = 16 * 1024;

constexpr std::string_view continue_head = "HTTP/1.1 100 Continue\r\n\r\n";

/// What is left of `parts` when `sent` bytes of them are gone.
std::array<std::string_view, 3> rest_of(std::array<std::string_view, 3> parts, std::size_t sent) {
  for (std::string_view& part : parts) {
    const std::size_t gone = std::min(sent, part.size());
    part.remove_prefix(gone);
    sent -= gone;
  }
  return parts;
}

}  // namespace

H1Connection::H1Connection(Link& link)
    : link_(link),
      reader_(
          {link.surroundings.options.header_bytes_max, link.surroundings.options.body_bytes_max}) {}

awaitable<H1Connection::Ending> H1Connection::serve() {
  for (int answered = 0;;) {
    auto next = reader_.next();
    if (!next) {
      if (reader_.begins_http2()) co_return Ending::http2;
      const Refusal refusal = next.error();
      co_await refuse(refusal);
      co_return Ending::over;
    }
    if (!*next) {
      const Wait wait = co_await receive();
      answered = 0;
      if (wait == Wait::bytes) continue;
      if (wait == Wait::end) {
        link_.transport.say_end();
        co_return Ending::over;
      }
      const Refusal too_slow{408, "The request did not arrive in time."};
      co_await refuse(too_slow);
      co_return Ending::over;
    }
    incoming_ = std::move(**next);
    const bool go_on = co_await answer();
    if (!go_on) co_return Ending::over;
    if (++answered % turns_in_a_row_max == 0) {
      co_await asio::post(link_.transport.executor(), asio::use_awaitable);
    }
  }
}

// Reading.

awaitable<H1Connection::Wait> H1Connection::receive() {
  if (reader_.take_continue()) {
    const bool sent = co_await write(continue_head, {});
    if (!sent) co_return Wait::end;
  }
  const bool idle = reader_.phase() == RequestReader::Phase::idle;
  const SteadyTime deadline = receive_deadline();
  while (true) {
    const bool last_look = idle && link_.surroundings.draining;
    if (!last_look) {
      const bool in_time = co_await link_.transport.ready(link_.transport.read_wait(), deadline);
      if (!in_time) co_return idle ? Wait::end : Wait::time_out;
    }
    switch (read_available()) {
      case Arrival::bytes: co_return Wait::bytes;
      case Arrival::end: co_return Wait::end;
      case Arrival::nothing_yet: break;
    }
    if (last_look) co_return Wait::end;
  }
}

// Reads once, without waiting.
H1Connection::Arrival H1Connection::read_available() {
  const auto [status, size] = link_.transport.read(link_.surroundings.scratch);
  if (status == Transport::Status::not_yet) return Arrival::nothing_yet;
  if (status == Transport::Status::end) return Arrival::end;
  reader_.feed({link_.surroundings.scratch.data(), size});
  return Arrival::bytes;
}

SteadyTime H1Connection::receive_deadline() {
  const SteadyTime now = steady_clock::now();
  if (std::exchange(phase_, reader_.phase()) != reader_.phase()) phase_started_ = now;
  switch (phase_) {
    case RequestReader::Phase::idle: return now + link_.surroundings.options.idle_timeout;
    case RequestReader::Phase::head:
      return phase_started_ + link_.surroundings.options.header_timeout;
    case RequestReader::Phase::body: break;
  }
  return body_deadline({phase_started_, now, reader_.body_bytes()},
                       link_.surroundings.options.body_timeout);
}

// Answering.

awaitable<bool> H1Connection::answer() {
  phase_ = RequestReader::Phase::idle;
  incoming_.request.peer = link_.peer;
  const bool head_only = incoming_.request.method == "HEAD";
  watch_peer();
  awaitable<Response> pending =
      answer_of(link_.surroundings, std::move(incoming_.request), link_.gone);
  Response response = co_await std::move(pending);
  unwatch_peer();
  if (link_.gone) co_return false;

  const bool body_wanted = !head_only && has_body(response.status);
  const bool ends_with_connection = incoming_.http_1_0 && response.stream;
  const HeadContext context{
      incoming_.keep_alive && !ends_with_connection && !link_.surroundings.draining,
      incoming_.http_1_0, link_.surroundings.date.at(std::time(nullptr))};
  if (response.stream && body_wanted) {
    append_head(response, context, held_);
    const bool whole = co_await send_stream(*response.stream);
    if (!whole) co_return false;
  } else {
    std::string head;
    append_head(response, context, head);
    response.stream.reset();
    const bool sent = co_await write(head, body_wanted ? response.body_view() : std::string_view());
    if (!sent) co_return false;
  }
  if (!context.keep_alive) co_await link_.transport.linger(link_.surroundings.scratch);
  co_return context.keep_alive;
}

// False when the stream is cut; the connection is then to end, so that the peer knows.
awaitable<bool> H1Connection::send_stream(BodyStream& stream) {
  std::exception_ptr problem;
  try {
    const bool whole = co_await write_pieces(stream);
    if (whole) co_return true;
  } catch (...) {
    problem = std::current_exception();
  }
  if (problem && !link_.gone) {
    log_stream_failure(problem);
    (void)co_await write_held();
  }
  if (incoming_.http_1_0)
    link_.transport.reset();  // an end in order would say that the stream is whole
  co_return false;
}

// What comes at once goes out together: the head with the first piece, the last piece with the end.
// What has to wait for the next piece does not: watch_peer() sends it meanwhile.
awaitable<bool> H1Connection::write_pieces(BodyStream& stream) {
  const bool chunked = !incoming_.http_1_0;
  for (int pieces = 1;; ++pieces) {
    const std::optional<std::string> piece = co_await next_piece(stream);
    if (link_.gone) co_return false;
    assert((!piece || !piece->empty()) && "an empty chunk would end the body");
    const std::string_view bytes = piece ? *piece : std::string_view();
    if (chunked) append_chunk_head(bytes.size(), held_);
    const std::string_view end = chunked ? "\r\n" : "";
    if (piece && held_.size() + bytes.size() <= held_bytes_max && !stream.writes_alone()) {
      held_ += bytes;
      held_ += end;
    } else {
      const bool sent = co_await write_held(bytes, end);
      if (!sent || !piece) co_return sent;
    }
    if (pieces % turns_in_a_row_max == 0) {
      co_await asio::post(link_.transport.executor(), asio::use_awaitable);
    }
  }
}

awaitable<std::optional<std::string>> H1Connection::next_piece(BodyStream& stream) {
  struct Watched {
    H1Connection& connection;
    ~Watched() { connection.unwatch_peer(); }
  };
  watch_peer();
  const Watched watched{*this};  // also when the stream fails: a watch keeps the connection alive
  awaitable<std::optional<std::string>> pending = stream.next();
  std::optional<std::string> piece = co_await std::move(pending);
  co_return std::move(piece);
}

awaitable<void> H1Connection::refuse(Refusal refusal) {
  const Response response = link_.surroundings.refuse(refusal.status, refusal.reason);
  const HeadContext context{false, false, link_.surroundings.date.at(std::time(nullptr))};
  std::string head;
  append_head(response, context, head);
  const bool sent = co_await write(head, response.body_view());
  if (sent) co_await link_.transport.linger(link_.surroundings.scratch);
}

// Writing.

awaitable<bool> H1Connection::write(std::string_view head, std::string_view body,
                                    std::string_view tail) {
  const std::size_t size = head.size() + body.size() + tail.size();
  for (std::size_t sent = 0; sent < size;) {
    const auto [status, written] = link_.transport.write(rest_of({head, body, tail}, sent));
    sent += written;
    if (status == Transport::Status::done) continue;
    if (status == Transport::Status::end) co_return false;
    const SteadyTime deadline = steady_clock::now() + link_.surroundings.options.write_timeout;
    const bool in_time = co_await link_.transport.ready(Transport::Wait::wait_write, deadline);
    if (!in_time) co_return false;
  }
  co_return true;
}

awaitable<bool> H1Connection::write_held(std::string_view more, std::string_view tail) {
  const bool sent = co_await write(held_, more, tail);
  held_.clear();
  co_return sent;
}

// Writes what is held as far as it goes, while the next piece is made.
void H1Connection::flush_held(unsigned watch) {
  const auto [status, written] = link_.transport.write({held_, {}, {}});
  held_.erase(0, written);
  if (status == Transport::Status::end) held_.clear();  // reading tells
  if (held_.empty()) return;
  link_.transport.when_ready(Transport::Wait::wait_write, [this, keep = link_.keep(), watch] {
    if (watch == watch_ && !held_.empty()) flush_held(watch);
  });
}

// Watching the peer while its answer is computed.

// Most handlers are done before the posted function runs, and are never watched.
void H1Connection::watch_peer() {
  asio::post(link_.transport.executor(), [this, keep = link_.keep(), watch = watch_] {
    if (watch != watch_) return;
    if (!held_.empty()) flush_held(watch);
    watch_on(watch);
  });
}

void H1Connection::watch_on(unsigned watch) {
  watching_ = true;
  link_.transport.when_ready(link_.transport.read_wait(), [this, keep = link_.keep(), watch] {
    if (watch != watch_) return;
    watching_ = false;
    if (read_available() == Arrival::end) {
      link_.gone = true;
      link_.cancel.emit(asio::cancellation_type::terminal);
    } else if (reader_.buffered() < pipelined_bytes_max) {
      watch_on(watch);
    }
  });
}

void H1Connection::unwatch_peer() {
  ++watch_;
  if (std::exchange(watching_, false)) link_.transport.wake();
}

}  // namespace craton::http
