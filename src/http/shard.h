// One I/O thread's share of a server: its io_context, its listening socket and its connections.
//
// Threads: run() is the thread; drain() and stop() may be called from any other.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "http/connection.h"
#include "http/server.h"

namespace craton::http {

class Shard {
 public:
  /// What is referred to outlives the shard. `drained` is called once, on the shard's thread, when
  /// a drain has come to its end.
  Shard(const ServerOptions& options, const Handler& handler, const RefusalWriter& refuse,
        std::function<void()> drained);

  boost::asio::io_context& context() { return context_; }

  /// Before run(): where connections come from.
  void listen_on(boost::asio::ip::tcp::acceptor acceptor) { acceptor_ = std::move(acceptor); }

  /// Serves until stopped, or drained.
  void run();

  /// What its connections have carried; from any thread.
  const TrafficCounter& traffic() const { return surroundings_.traffic; }

  void drain();
  void stop();

 private:
  using Connections = std::vector<std::shared_ptr<Connection>>;

  boost::asio::awaitable<void> accept();
  void accept_waiting();
  void admit(boost::asio::ip::tcp::socket socket);
  void forget(Connection& connection, const std::exception_ptr& problem);
  Connections connections();
  void begin_drain();
  void abort_all();
  void sweep_later();

  Surroundings surroundings_;
  std::function<void()> drained_;
  std::chrono::milliseconds sweep_interval_;
  bool sweeping_ = false;
  // Owned by their coroutines. Not by the shard: sockets must not outlive their context.
  std::unordered_set<Connection*> connections_;
  boost::asio::io_context context_{1};  // one thread runs it
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  boost::asio::steady_timer sweep_timer_{context_};
};

}  // namespace craton::http
