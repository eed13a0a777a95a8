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
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "http/tls.h"
#include "http/traffic.h"

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

  /// `traffic` outlives it.
  Transport(boost::asio::ip::tcp::socket socket, TrafficCounter& traffic);

  boost::asio::any_io_executor executor() { return socket_.get_executor(); }

  /// Address of the other end; empty when it is gone.
  std::string peer() const;

  /// Speaks TLS from here on. `context` outlives the transport.
  void use_tls(const TlsContext& context) { tls_.emplace(context, socket_.native_handle()); }

  /// Goes on with TLS's handshake.
  TlsSocket::Step shake_hands() { return tls_ ? tls_->shake_hands() : TlsSocket::Step::failed; }

  /// Whether anything of a handshake has come.
  bool handshake_begun() const { return tls_->has_begun(); }

  /// Speaks plainly after all.
  void drop_tls() { tls_.reset(); }

  /// `buffer`: 32 KiB or more.
  Progress read(std::span<char> buffer);

  /// What read() waits for when it gave `not_yet`.
  Wait read_wait() const { return read_wait_; }

  /// Writes from the parts, taken as one text. After `not_yet`, what is left of them must come
  /// again.
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

  /// Tells the peer that nothing more comes. Not for an answer that is cut.
  void say_end();

  /// Sends the end of the stream and waits, within bounds, for the peer's. What the peer is still
  /// sending is taken in, into `scratch`, and dropped, so that it gets to read the answer: a
  /// connection closed on unread bytes is reset, and the answer may be lost with it.
  boost::asio::awaitable<void> linger(std::span<char> scratch);

  void close();

  /// Closes so that the peer does not take it for an end in order.
  void reset();

 private:
  Progress read_some(std::span<char> buffer);
  Progress write_some(const std::array<std::string_view, 3>& parts);

  boost::asio::ip::tcp::socket socket_;
  TrafficCounter& traffic_;
  SteadyTime deadline_ = SteadyTime::max();  // of the wait in progress
  bool expired_ = false;                     // it passed
  std::optional<TlsSocket> tls_;
  Wait read_wait_ = Wait::wait_read;
};

}  // namespace craton::http
