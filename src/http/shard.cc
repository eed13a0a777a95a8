#include "http/shard.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>

#include "base/log.h"
#include "http/exchange.h"

namespace craton::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

// When accepting fails, mostly for want of file descriptors: until some have come free.
constexpr milliseconds accept_pause{100};

// For cancelled handlers to unwind in when the server stops.
constexpr milliseconds stop_grace{1000};

// Deadlines are looked at so often that the shortest is late by an eighth at most.
milliseconds sweep_interval(const ServerOptions& options) {
  const milliseconds shortest =
      std::min({options.handshake_timeout, options.header_timeout, options.body_timeout,
                options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 8, milliseconds(1), milliseconds(500));
}

}  // namespace

Shard::Shard(const ServerOptions& options, const Handler& handler, const RefusalWriter& refuse,
             std::function<void()> drained)
    : surroundings_{options, handler, refuse},
      drained_(std::move(drained)),
      sweep_interval_(sweep_interval(options)) {}

void Shard::run() {
  // Only want of memory ends it before the acceptor is closed: better no server than a deaf one.
  asio::co_spawn(context_, accept(), [](const std::exception_ptr& problem) {
    if (problem && !is_abort(problem)) std::rethrow_exception(problem);
  });
  context_.run();
  context_.restart();
  context_.run_for(stop_grace);
}

// Accepting.

asio::awaitable<void> Shard::accept() {
  asio::steady_timer pause(context_);
  for (bool failing = false; acceptor_.is_open();) {
    error_code error;
    tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      admit(std::move(socket));
      failing = false;
      continue;
    }
    if (!acceptor_.is_open()) co_return;
    if (!std::exchange(failing, true))
      log::warning("accept_failed", {{"problem", error.message()}});
    pause.expires_after(accept_pause);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

void Shard::admit(tcp::socket socket) {
  auto connection = std::make_shared<Connection>(std::move(socket), surroundings_);
  connections_.insert(connection.get());
  surroundings_.traffic.opened();
  if (!std::exchange(sweeping_, true)) sweep_later();
  auto ended = [this, connection](const std::exception_ptr& problem) {
    forget(*connection, problem);
  };
  asio::co_spawn(context_, Connection::serve(connection),
                 asio::bind_cancellation_slot(connection->slot(), std::move(ended)));
}

void Shard::forget(Connection& connection, const std::exception_ptr& problem) {
  connections_.erase(&connection);
  surroundings_.traffic.closed();
  if (problem && !is_abort(problem)) {
    log::error("connection_failed", {{"problem", text_of(problem)}});
  }
  if (connections_.empty() && surroundings_.draining) std::exchange(drained_, [] {})();
}

// Deadlines.

void Shard::sweep_later() {
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](error_code error) {
    if (error) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    for (Connection* connection : connections_) connection->expire(now);
    sweeping_ = !connections_.empty();
    if (sweeping_) sweep_later();
  });
}

// Ending.

void Shard::drain() {
  asio::post(context_, [this] { begin_drain(); });
}

void Shard::stop() {
  asio::post(context_, [this] {
    abort_all();
    context_.stop();
  });
}

Shard::Connections Shard::connections() {
  Connections all;
  for (Connection* connection : connections_) all.push_back(connection->shared_from_this());
  return all;
}

void Shard::begin_drain() {
  if (std::exchange(surroundings_.draining, true)) return;
  accept_waiting();
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& connection : connections()) connection->drain();
  if (connections_.empty()) std::exchange(drained_, [] {})();
}

// What the kernel has already accepted for us would be reset with the listening socket.
void Shard::accept_waiting() {
  error_code error;
  acceptor_.non_blocking(true, error);
  while (!error) {
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (!error) admit(std::move(socket));
  }
}

void Shard::abort_all() {
  drained_ = [] {};  // what ends like this has not been drained
  error_code ignored;
  acceptor_.close(ignored);
  sweep_timer_.cancel();
  for (const auto& connection : connections()) connection->abort();
}

}  // namespace craton::http
