// A response body that is made while it is sent.
//
//   handler ─► Response{.stream} ─► next() ─► bytes to the kernel ─► next() ─► … ─► nullopt
//
// Threads: everything happens on the connection's I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

namespace craton::http {

class BodyStream {
 public:
  /// Gives up whatever makes the bytes. Comes at once when the peer goes away or resets its stream,
  /// also while next() waits.
  virtual ~BodyStream() = default;

  /// The next bytes, never empty; nullopt after the last. Called only when all bytes before, but
  /// for a few that wait for these, have been handed to the kernel: a slow reader slows its own
  /// stream, and nothing else.
  ///
  /// When the coroutine is cancelled, leaves with system_error(operation_aborted). Any other
  /// exception breaks the answer off (HTTP/2: RST_STREAM; HTTP/1: the connection), so that the peer
  /// does not take a cut stream for a whole one.
  virtual boost::asio::awaitable<std::optional<std::string>> next() = 0;

  /// Whether each piece is to be written by itself. Else one that is followed by another at once
  /// goes out with it.
  virtual bool writes_alone() const { return false; }
};

}  // namespace craton::http
