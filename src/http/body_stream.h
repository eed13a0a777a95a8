// BodyStream: the body of an answer that is made while it is sent.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

namespace craton::http {

class BodyStream {
 public:
  /// Destroying it gives up whatever makes the bytes.
  virtual ~BodyStream() = default;

  /// The next bytes, never empty; nullopt after the last. Called only when all bytes before have
  /// been handed to the kernel, so a slow reader slows its own stream only. Leaves with
  /// boost::system::system_error(operation_aborted) when the coroutine is cancelled. Any other
  /// exception breaks the connection off (HTTP/2: resets the stream), so that the peer does not
  /// take a cut body for a whole one.
  virtual boost::asio::awaitable<std::optional<std::string>> next() = 0;
};

}  // namespace craton::http
