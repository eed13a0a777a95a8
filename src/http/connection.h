// One accepted connection, whatever it speaks: HTTP/1.1, or HTTP/2 when its first bytes say so; in
// TLS or not.
//
// Threads: everything happens on the connection's shard's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <string>

#include "base/clock.h"
#include "http/h1_connection.h"
#include "http/h2_connection.h"
#include "http/surroundings.h"
#include "http/transport.h"

namespace craton::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, Surroundings& surroundings);

  /// Serves requests until the connection ends. Spawn it with slot() as its cancellation slot.
  static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> self);

  boost::asio::cancellation_slot slot() { return link_.cancel.slot(); }

  /// Ends what its deadline has passed for.
  void expire(SteadyTime now);

  /// Ends the connection if it is between requests; later, it ends by itself. Call after
  /// Surroundings::draining was set.
  void drain();

  /// Closes at once, whatever is in progress; handlers are cancelled.
  void abort();

 private:
  boost::asio::awaitable<void> serve_protocol();
  boost::asio::awaitable<bool> shake_hands();

  Link link_;
  H1Connection h1_;
  std::unique_ptr<H2Connection> h2_;  // when that is what is spoken
};

}  // namespace craton::http
