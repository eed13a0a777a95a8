// The socket under a connection: read and written by plain calls that do not block, waited for
// through Asio.
//
// So a connection that waits owns no read buffer, and an answer that the kernel takes at once costs
// no suspension. Time-outs cost no timer either: whoever owns transports calls expire() now and
// then.
//
// Threads: one.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace craton::http {

class Transport {
 public:
  using Wait = boost::asio::ip::tcp::socket::wait_type;
  enum class Status {
    done,
    not_yet,  ///< Wait first.
    end,      ///< Nothing more can be read, or written.
  };
  struct Progress {
    Status status;
    std::size_t size = 0;  ///< Bytes, when `done`.
  };

  explicit Transport(boost::asio::ip::tcp::socket socket);

  boost::asio::any_io_executor executor() { return socket_.get_executor(); }

  /// Address of the other end; empty when it is gone.
  std::string peer() const;

  Progress read(std::span<char> buffer);

  /// Writes from the parts, taken as one text.
  Progress write(const std::array<std::string_view, 3>& parts);

  /// Waits until the socket can be read or written; false when `deadline` passes first. May wake
  /// for nothing.
  boost::asio::awaitable<bool> ready(Wait type, SteadyTime deadline);

  /// Calls `woken` when the socket can be read or written, or for nothing.
  template <class Function>
  void when_ready(Wait type, Function woken) {
    socket_.async_wait(type,
                       [woken = std::move(woken)](boost::system::error_code) mutable { woken(); });
  }

  /// Ends the wait of ready(), if its deadline has passed.
  void expire(SteadyTime now);

  /// Ends every wait.
  void wake();

  /// Sends the end of the stream and waits, within bounds, for the peer's. What the peer is still
  /// sending is taken in, into `scratch`, and dropped, so that it gets to read the answer: a
  /// connection closed on unread bytes is reset, and the answer may be lost with it.
  boost::asio::awaitable<void> linger(std::span<char> scratch);

  void close();

  /// Closes so that the peer does not take it for an end in order.
  void reset();

 private:
  boost::asio::ip::tcp::socket socket_;
  SteadyTime deadline_ = SteadyTime::max();  // of the wait in progress
  bool expired_ = false;                     // it passed
};

}  // namespace craton::http
