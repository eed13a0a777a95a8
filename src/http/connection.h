// One HTTP/1.1 connection: its life from the first byte to the last.
//
//   receive ─► RequestReader ─► handler (the peer is watched meanwhile) ─► one gathered write
//       ▲                                              └─► next piece (watched) ─► write ─┐ │
//       │                                                      ▲ streamed answers └───────┤ │
//       └─────────────────────────────────────────────────────────────────────────────────┴─┘
//
// The sockets are only waited for through Asio; reading and writing are plain calls that do not
// block. So a connection that waits owns no read buffer, and an answer that the kernel takes at
// once costs no suspension. Time-outs cost no timer either: the shard looks at deadlines now and
// then.
//
// Threads: everything happens on the connection's shard's.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/body_stream.h"
#include "http/request_reader.h"
#include "http/response_head.h"
#include "http/server.h"

namespace craton::http {

/// What the connections of one I/O thread share.
struct Surroundings {
  const ServerOptions& options;
  const Handler& handler;
  const RefusalWriter& refuse;
  bool draining = false;
  DateField date = {};
  std::array<char, 64 * 1024> scratch = {};  ///< For one read; never in use across a suspension.
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, Surroundings& surroundings);

  /// Serves requests until the connection ends. Spawn it with slot() as its cancellation slot.
  static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> self);

  boost::asio::cancellation_slot slot() { return cancel_.slot(); }

  /// Ends the wait in progress, if its deadline has passed.
  void expire(SteadyTime now);

  /// Ends the connection if it is between requests; later, it ends by itself. Call after
  /// Surroundings::draining was set.
  void drain();

  /// Closes at once, whatever is in progress; the handler is cancelled.
  void abort();

 private:
  enum class Arrival { bytes, nothing_yet, end };
  enum class Wait { bytes, time_out, end };
  using WaitType = boost::asio::ip::tcp::socket::wait_type;

  boost::asio::awaitable<void> serve_requests();
  boost::asio::awaitable<Wait> receive();
  boost::asio::awaitable<bool> answer();
  boost::asio::awaitable<Response> handle();
  boost::asio::awaitable<bool> send_stream(BodyStream& stream);
  boost::asio::awaitable<bool> write_pieces(BodyStream& stream);
  boost::asio::awaitable<std::optional<std::string>> next_piece(BodyStream& stream);
  boost::asio::awaitable<bool> write(std::string_view head, std::string_view body,
                                     std::string_view tail = {});
  boost::asio::awaitable<void> refuse(Refusal refusal);
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<bool> ready(WaitType type, SteadyTime deadline);

  Arrival read_available();
  SteadyTime receive_deadline();

  void watch_peer();
  void watch_on(unsigned watch);
  void unwatch_peer();
  void reset();

  boost::asio::ip::tcp::socket socket_;
  Surroundings& surroundings_;
  RequestReader reader_;
  Incoming incoming_;  // the request that is being answered
  std::string peer_;
  boost::asio::cancellation_signal cancel_;

  SteadyTime deadline_ = SteadyTime::max();                  // of the wait in progress
  bool expired_ = false;                                     // it passed
  RequestReader::Phase phase_ = RequestReader::Phase::idle;  // that phase_started_ speaks of
  SteadyTime phase_started_;

  unsigned watch_ = 0;     // number of the request whose peer is watched
  bool watching_ = false;  // a wait for the peer is in progress
  bool gone_ = false;      // the peer, while its answer was computed; or abort() was called
};

}  // namespace craton::http
