// One HTTP/1.1 connection: its life from the first byte to the last.
//
//   receive ─► RequestReader ─► handler (the peer is watched meanwhile) ─► one gathered write
//       ▲                                              └─► next piece (watched) ─► write ─┐ │
//       │                                                      ▲ streamed answers └───────┤ │
//       └─────────────────────────────────────────────────────────────────────────────────┴─┘
//
// Threads: everything happens on the connection's shard's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/body_stream.h"
#include "http/link.h"
#include "http/request_reader.h"

namespace craton::http {

class H1Connection {
 public:
  explicit H1Connection(Link& link);

  enum class Ending {
    over,
    http2,  ///< The first bytes were those of an HTTP/2 connection; take_received() has them.
  };

  /// Serves requests until the connection ends, on the coroutine that link.cancel cancels.
  boost::asio::awaitable<Ending> serve();

  /// Answers what never becomes a request, and ends the connection.
  boost::asio::awaitable<void> refuse(Refusal refusal);

  /// Everything that was received, after Ending::http2.
  std::string take_received() { return reader_.take_bytes(); }

  /// Makes what is in progress end. The socket is closed next.
  void abort() { ++watch_; }

 private:
  enum class Arrival { bytes, nothing_yet, end };
  enum class Wait { bytes, time_out, end };

  boost::asio::awaitable<Wait> receive();
  boost::asio::awaitable<bool> answer();
  boost::asio::awaitable<bool> send_stream(BodyStream& stream);
  boost::asio::awaitable<bool> write_pieces(BodyStream& stream);
  boost::asio::awaitable<std::optional<std::string>> next_piece(BodyStream& stream);
  boost::asio::awaitable<bool> write(std::string_view head, std::string_view body,
                                     std::string_view tail = {});
  boost::asio::awaitable<bool> write_held(std::string_view more = {}, std::string_view tail = {});

  void flush_held(unsigned watch);
  Arrival read_available();
  SteadyTime receive_deadline();

  void watch_peer();
  void watch_on(unsigned watch);
  void unwatch_peer();

  Link& link_;
  RequestReader reader_;
  Incoming incoming_;  // the request that is being answered

  RequestReader::Phase phase_ = RequestReader::Phase::idle;  // that phase_started_ speaks of
  SteadyTime phase_started_;

  std::string held_;  // of a streamed answer, bytes that those behind them go out with

  unsigned watch_ = 0;     // number of the request whose peer is watched
  bool watching_ = false;  // a wait for the peer is in progress
};

}  // namespace craton::http
