#include "http/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <ctime>
#include <exception>
#include <utility>

#include "base/log.h"

namespace craton::http {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

// Requests that a client pipelines behind one in progress wait in memory up to here; more waits in
// the kernel, and a peer that goes away behind more than that goes unnoticed until the answer.
constexpr std::size_t pipelined_bytes_max = 64 * 1024;

// Answers, or pieces of one, in a row before other connections of the thread get their turn.
constexpr int turns_in_a_row_max = 16;

// A body that comes in ever so small pieces is still to end: beside body_timeout for each piece,
// the whole must keep this pace.
constexpr std::size_t body_bytes_per_second_min = 500;

// After a refusal, what the client is still sending is taken in and dropped, so that it gets to
// read the answer: a connection closed on unread bytes is reset, and the answer may be lost with
// it.
constexpr std::size_t linger_bytes_max = 128 * 1024 * 1024;
constexpr std::chrono::seconds linger_time_max{30};
constexpr std::chrono::seconds linger_silence_max{2};

constexpr std::string_view continue_head = "HTTP/1.1 100 Continue\r\n\r\n";

std::string address_of(const tcp::socket& socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  return error ? std::string() : peer.address().to_string();
}

/// What is left of `parts` when `sent` bytes of them are gone.
std::array<asio::const_buffer, 3> rest_of(std::array<std::string_view, 3> parts, std::size_t sent) {
  for (std::string_view& part : parts) {
    const std::size_t gone = std::min(sent, part.size());
    part.remove_prefix(gone);
    sent -= gone;
  }
  return {asio::buffer(parts[0]), asio::buffer(parts[1]), asio::buffer(parts[2])};
}

}  // namespace

Connection::Connection(tcp::socket socket, Surroundings& surroundings)
    : socket_(std::move(socket)),
      surroundings_(surroundings),
      reader_({surroundings.options.header_bytes_max, surroundings.options.body_bytes_max}),
      peer_(address_of(socket_)) {
  error_code ignored;  // cannot fail on an open socket
  socket_.non_blocking(true, ignored);
}

awaitable<void> Connection::serve(std::shared_ptr<Connection> self) {
  co_await self->serve_requests();
}

awaitable<void> Connection::serve_requests() {
  for (int answered = 0;;) {
    auto next = reader_.next();
    if (!next) {
      const Refusal refusal = next.error();
      co_await refuse(refusal);
      co_return;
    }
    if (!*next) {
      const Wait wait = co_await receive();
      answered = 0;
      if (wait == Wait::bytes) continue;
      if (wait == Wait::end) co_return;
      const Refusal too_slow{408, "The request did not arrive in time."};
      co_await refuse(too_slow);
      co_return;
    }
    incoming_ = std::move(**next);
    const bool go_on = co_await answer();
    if (!go_on) co_return;
    if (++answered % turns_in_a_row_max == 0) {
      co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    }
  }
}

// Reading.

awaitable<Connection::Wait> Connection::receive() {
  if (reader_.take_continue()) {
    const bool sent = co_await write(continue_head, {});
    if (!sent) co_return Wait::end;
  }
  const bool idle = reader_.phase() == RequestReader::Phase::idle;
  const SteadyTime deadline = receive_deadline();
  while (true) {
    const bool last_look = idle && surroundings_.draining;
    if (!last_look) {
      const bool in_time = co_await ready(WaitType::wait_read, deadline);
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
Connection::Arrival Connection::read_available() {
  error_code error;
  const std::size_t size = socket_.read_some(asio::buffer(surroundings_.scratch), error);
  if (error == asio::error::would_block) return Arrival::nothing_yet;
  if (error) return Arrival::end;
  reader_.feed({surroundings_.scratch.data(), size});
  return Arrival::bytes;
}

SteadyTime Connection::receive_deadline() {
  const SteadyTime now = steady_clock::now();
  if (std::exchange(phase_, reader_.phase()) != reader_.phase()) phase_started_ = now;
  switch (phase_) {
    case RequestReader::Phase::idle: return now + surroundings_.options.idle_timeout;
    case RequestReader::Phase::head: return phase_started_ + surroundings_.options.header_timeout;
    case RequestReader::Phase::body: break;
  }
  const std::chrono::seconds earned(reader_.body_bytes() / body_bytes_per_second_min);
  return std::min(now, phase_started_ + earned) + surroundings_.options.body_timeout;
}

// Waits until the socket can be read or written; false when `deadline` passes first. May wake for
// nothing.
awaitable<bool> Connection::ready(WaitType type, SteadyTime deadline) {
  deadline_ = deadline;
  expired_ = false;
  error_code ignored;  // what is wrong with the socket shows when it is used
  co_await socket_.async_wait(type, asio::redirect_error(asio::use_awaitable, ignored));
  deadline_ = SteadyTime::max();
  co_return !expired_;
}

void Connection::expire(SteadyTime now) {
  if (now < deadline_) return;
  expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

// Answering.

awaitable<bool> Connection::answer() {
  phase_ = RequestReader::Phase::idle;
  incoming_.request.peer = peer_;
  const bool head_only = incoming_.request.method == "HEAD";
  watch_peer();
  Response response = co_await handle();
  unwatch_peer();
  if (gone_) co_return false;

  const bool body_wanted = !head_only && has_body(response.status);
  const bool ends_with_connection = incoming_.http_1_0 && response.stream;
  const HeadContext context{
      incoming_.keep_alive && !ends_with_connection && !surroundings_.draining, incoming_.http_1_0,
      surroundings_.date.at(std::time(nullptr))};
  std::string head;
  append_head(response, context, head);
  if (!body_wanted) response.stream.reset();
  const bool body_now = body_wanted && !response.stream;
  const bool begun = co_await write(head, body_now ? response.body_view() : std::string_view());
  if (!begun) co_return false;
  if (response.stream) {
    const bool whole = co_await send_stream(*response.stream);
    if (!whole) co_return false;
  }
  if (!context.keep_alive) co_await linger();
  co_return context.keep_alive;
}

awaitable<Response> Connection::handle() {
  std::string problem;
  try {
    awaitable<Response> pending = surroundings_.handler(std::move(incoming_.request));
    Response response = co_await std::move(pending);
    co_return std::move(response);
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    problem = "an exception of unknown type";
  }
  if (!gone_) log::error("handler_failed", {{"problem", problem}});
  co_return surroundings_.refuse(500, "The server failed to answer. Its log says why.");
}

// False when the stream is cut; the connection is then to end, so that the peer knows.
awaitable<bool> Connection::send_stream(BodyStream& stream) {
  std::string problem;
  try {
    const bool whole = co_await write_pieces(stream);
    if (whole) co_return true;
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    problem = "an exception of unknown type";
  }
  if (!problem.empty() && !gone_) log::error("stream_failed", {{"problem", problem}});
  if (incoming_.http_1_0) reset();  // an end in order would say that the stream is whole
  co_return false;
}

awaitable<bool> Connection::write_pieces(BodyStream& stream) {
  const std::string_view chunk_end = incoming_.http_1_0 ? "" : "\r\n";
  std::string chunk_head;
  for (int pieces = 1;; ++pieces) {
    const std::optional<std::string> piece = co_await next_piece(stream);
    if (gone_) co_return false;
    assert((!piece || !piece->empty()) && "an empty chunk would end the body");
    const std::string_view bytes = piece ? *piece : std::string_view();
    chunk_head.clear();
    if (!incoming_.http_1_0) append_chunk_head(bytes.size(), chunk_head);
    const bool sent = co_await write(chunk_head, bytes, chunk_end);
    if (!sent || !piece) co_return sent;
    if (pieces % turns_in_a_row_max == 0) {
      co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    }
  }
}

awaitable<std::optional<std::string>> Connection::next_piece(BodyStream& stream) {
  struct Watched {
    Connection& connection;
    ~Watched() { connection.unwatch_peer(); }
  };
  watch_peer();
  const Watched watched{*this};  // also when the stream fails: a watch keeps the connection alive
  awaitable<std::optional<std::string>> pending = stream.next();
  std::optional<std::string> piece = co_await std::move(pending);
  co_return std::move(piece);
}

awaitable<void> Connection::refuse(Refusal refusal) {
  const Response response = surroundings_.refuse(refusal.status, refusal.reason);
  const HeadContext context{false, false, surroundings_.date.at(std::time(nullptr))};
  std::string head;
  append_head(response, context, head);
  const bool sent = co_await write(head, response.body_view());
  if (sent) co_await linger();
}

// Writing.

awaitable<bool> Connection::write(std::string_view head, std::string_view body,
                                  std::string_view tail) {
  const std::size_t size = head.size() + body.size() + tail.size();
  for (std::size_t sent = 0; sent < size;) {
    error_code error;
    sent += socket_.write_some(rest_of({head, body, tail}, sent), error);
    if (!error) continue;
    if (error != asio::error::would_block) co_return false;
    const SteadyTime deadline = steady_clock::now() + surroundings_.options.write_timeout;
    const bool in_time = co_await ready(WaitType::wait_write, deadline);
    if (!in_time) co_return false;
  }
  co_return true;
}

// Sends the end of the stream and waits, within bounds, for the peer's.
awaitable<void> Connection::linger() {
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  const SteadyTime limit = steady_clock::now() + linger_time_max;
  for (std::size_t dropped = 0; dropped < linger_bytes_max;) {
    const SteadyTime deadline = std::min(limit, steady_clock::now() + linger_silence_max);
    const bool in_time = co_await ready(WaitType::wait_read, deadline);
    if (!in_time) co_return;
    dropped += socket_.read_some(asio::buffer(surroundings_.scratch), error);
    if (error && error != asio::error::would_block) co_return;
  }
}

// Watching the peer while its answer is computed.

// Most handlers are done before the posted function runs, and are never watched.
void Connection::watch_peer() {
  asio::post(socket_.get_executor(), [self = shared_from_this(), watch = watch_] {
    if (watch == self->watch_) self->watch_on(watch);
  });
}

void Connection::watch_on(unsigned watch) {
  watching_ = true;
  socket_.async_wait(WaitType::wait_read, [self = shared_from_this(), watch](error_code) {
    if (watch != self->watch_) return;
    self->watching_ = false;
    if (self->read_available() == Arrival::end) {
      self->gone_ = true;
      self->cancel_.emit(asio::cancellation_type::terminal);
    } else if (self->reader_.buffered() < pipelined_bytes_max) {
      self->watch_on(watch);
    }
  });
}

void Connection::unwatch_peer() {
  ++watch_;
  if (!std::exchange(watching_, false)) return;
  error_code ignored;
  socket_.cancel(ignored);
}

// Ending.

// Closes now, as a socket's destructor undoes this option.
void Connection::reset() {
  error_code ignored;
  socket_.set_option(tcp::socket::linger(true, 0), ignored);
  socket_.close(ignored);
}

// Every wait takes being woken for nothing; receive() then sees that it is time to end.
void Connection::drain() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::abort() {
  gone_ = true;
  ++watch_;
  cancel_.emit(asio::cancellation_type::terminal);
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace craton::http
