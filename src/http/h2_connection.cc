#include "http/h2_connection.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <ctime>
#include <exception>
#include <utility>
#include <vector>

#include "base/log.h"
#include "http/exchange.h"

namespace craton::http {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using std::chrono::steady_clock;

// Handlers of one connection, those included whose stream is gone and that have not noticed yet, in
// multiples of the streams that may be open.
constexpr std::size_t handlers_a_stream_max = 2;

// What an idle connection may keep of its buffer.
constexpr std::size_t idle_buffer_bytes_max = 4 * 1024;

H2Limits limits_of(const ServerOptions& options) {
  H2Limits limits;
  limits.request = {options.header_bytes_max, options.body_bytes_max};
  limits.streams_max = options.streams_max;
  limits.header_timeout = options.header_timeout;
  limits.body_timeout = options.body_timeout;
  limits.idle_timeout = options.idle_timeout;
  limits.write_timeout = options.write_timeout;
  return limits;
}

}  // namespace

/// A request that is being answered.
struct H2Connection::Exchange {
  Exchange(StreamId on, const asio::any_io_executor& executor)
      : stream(on), hunger(executor, SteadyTime::max()) {}

  StreamId stream;
  bool gone = false;          // nobody waits for the answer
  bool hungry = false;        // the session has sent what it was given
  asio::steady_timer hunger;  // cancelled when `hungry` or `gone` becomes true
  asio::cancellation_signal cancel;

  void leave() {
    gone = true;
    hunger.cancel();
    cancel.emit(asio::cancellation_type::terminal);
  }
};

H2Connection::H2Connection(Link& link)
    : link_(link), session_(limits_of(link.surroundings.options), steady_clock::now()) {}

H2Connection::~H2Connection() = default;

awaitable<void> H2Connection::serve(std::string received) {
  if (link_.surroundings.draining) drain();
  receive(received);
  while (!over_) {
    co_await link_.transport.ready(link_.transport.read_wait(), SteadyTime::max());
    if (!over_) read();
  }
  cancel_all();
  if (!link_.gone) co_await link_.transport.linger(link_.surroundings.scratch);
}

// Reading.

void H2Connection::read() {
  const auto [status, size] = link_.transport.read(link_.surroundings.scratch);
  if (status == Transport::Status::done) receive({link_.surroundings.scratch.data(), size});
  if (status != Transport::Status::end) return;
  link_.gone = true;
  end();
}

void H2Connection::receive(std::string_view bytes) {
  session_.feed(bytes, steady_clock::now());
  act();
}

// Does what the session's events ask for.
void H2Connection::act() {
  while (auto event = session_.next_event()) {
    switch (event->kind) {
      case H2Event::Kind::request: begin(event->stream, std::move(event->request)); break;
      case H2Event::Kind::refused: refuse(event->stream, event->refusal); break;
      case H2Event::Kind::gone: forget(event->stream); break;
    }
  }
  flush_soon();
}

void H2Connection::begin(StreamId stream, Request request) {
  const std::size_t handlers_max = handlers_a_stream_max * link_.surroundings.options.streams_max;
  if (exchanges_.size() >= handlers_max) {
    session_.reset(stream, H2Reset::refused_stream);
    return;
  }
  request.peer = link_.peer;
  auto exchange = std::make_shared<Exchange>(stream, link_.transport.executor());
  exchanges_.emplace(stream, exchange);
  auto ended = [this, exchange, keep = link_.keep()](const std::exception_ptr& problem) {
    exchanges_.erase(exchange->stream);
    if (problem && !is_abort(problem)) {
      log::error("stream_failed", {{"problem", text_of(problem)}});
    }
  };
  asio::co_spawn(link_.transport.executor(), answer(this, exchange, std::move(request)),
                 asio::bind_cancellation_slot(exchange->cancel.slot(), std::move(ended)));
}

void H2Connection::refuse(StreamId stream, Refusal refusal) {
  Response response = link_.surroundings.refuse(refusal.status, refusal.reason);
  respond(stream, response);
}

void H2Connection::forget(StreamId stream) {
  const auto entry = exchanges_.find(stream);
  if (entry == exchanges_.end()) return;
  const std::shared_ptr<Exchange> exchange = entry->second;
  exchange->leave();
}

// Answering.

awaitable<void> H2Connection::answer(H2Connection* self, std::shared_ptr<Exchange> exchange,
                                     Request request) {
  awaitable<Response> pending =
      answer_of(self->link_.surroundings, std::move(request), exchange->gone);
  Response response = co_await std::move(pending);
  if (exchange->gone) co_return;
  const bool stream_follows = self->respond(exchange->stream, response);
  if (stream_follows) co_await self->send_stream(*exchange, *response.stream);
}

awaitable<void> H2Connection::send_stream(Exchange& exchange, BodyStream& stream) {
  std::exception_ptr problem;
  try {
    co_await give_pieces(exchange, stream);
    co_return;
  } catch (...) {
    problem = std::current_exception();
  }
  if (exchange.gone) co_return;
  log_stream_failure(problem);
  session_.reset(exchange.stream, H2Reset::internal_error);
  flush_soon();
}

awaitable<void> H2Connection::give_pieces(Exchange& exchange, BodyStream& stream) {
  while (true) {
    while (!exchange.hungry && !exchange.gone) {
      boost::system::error_code woken;
      co_await exchange.hunger.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (exchange.gone) co_return;
    awaitable<std::optional<std::string>> pending = stream.next();
    std::optional<std::string> piece = co_await std::move(pending);
    if (exchange.gone) co_return;
    exchange.hungry = false;
    flush_soon();
    if (!piece) break;
    assert(!piece->empty() && "a piece has bytes");
    session_.give(exchange.stream, std::move(*piece));
  }
  session_.finish(exchange.stream);
}

// True when the body's stream is to follow.
bool H2Connection::respond(StreamId stream, Response& response) {
  const std::string_view date = link_.surroundings.date.at(std::time(nullptr));
  flush_soon();
  return session_.respond(stream, response, date);
}

// Writing.

// Once for all that happens in this turn of the thread: streams that have news at the same time
// share a write.
void H2Connection::flush_soon() {
  if (std::exchange(flush_due_, true)) return;
  asio::post(link_.transport.executor(), [this, keep = link_.keep()] {
    flush_due_ = false;
    flush();
  });
}

void H2Connection::flush() {
  for (int turns = 0; !over_ && !blocked_since_; ++turns) {
    if (turns == turns_in_a_row_max) return flush_soon();
    if (sent_ == out_.size()) {
      sent_ = 0;
      out_.clear();
      session_.fill(out_, steady_clock::now());
    }
    if (out_.empty()) break;
    if (!write_some()) return;
  }
  if (over_ || blocked_since_) return;
  if (out_.capacity() > idle_buffer_bytes_max) std::string().swap(out_);
  for (const StreamId stream : session_.take_hungry()) {
    const auto entry = exchanges_.find(stream);
    if (entry == exchanges_.end()) continue;
    entry->second->hungry = true;
    entry->second->hunger.cancel();
  }
  if (session_.done()) end();
}

// False when there is nothing to do but to wait.
bool H2Connection::write_some() {
  const std::string_view rest = std::string_view(out_).substr(sent_);
  const auto [status, size] = link_.transport.write({rest});
  sent_ += size;
  if (status == Transport::Status::done) return true;
  if (status == Transport::Status::end) {
    link_.gone = true;
    end();
    return false;
  }
  blocked_since_ = steady_clock::now();
  link_.transport.when_ready(Transport::Wait::wait_write, [this, keep = link_.keep()] {
    blocked_since_.reset();
    flush();
  });
  return false;
}

// Ending.

void H2Connection::expire(SteadyTime now) {
  if (over_) return;
  session_.expire(now);
  act();
  if (blocked_since_ && now >= *blocked_since_ + link_.surroundings.options.write_timeout) {
    link_.gone = true;
    end();
  }
}

void H2Connection::drain() {
  session_.shut_down(steady_clock::now());
  flush_soon();
}

void H2Connection::abort() {
  over_ = true;
  cancel_all();
}

void H2Connection::end() {
  over_ = true;
  link_.transport.wake();
}

void H2Connection::cancel_all() {
  const auto exchanges = exchanges_;  // each may take itself out
  for (const auto& [stream, exchange] : exchanges) exchange->leave();
}

}  // namespace craton::http
