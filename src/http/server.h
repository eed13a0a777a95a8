// A server of HTTP/1.1 and HTTP/2, in clear text or TLS, one thread a core.
//
// Each I/O thread has its own io_context and its own listening socket on the same port
// (SO_REUSEPORT): a connection lives and dies on its thread. Keep-alive, pipelining (answers in the
// order of the requests), Expect: 100-continue, chunked request bodies, limits and time-outs, and a
// graceful drain are the server's; everything else is the handler's.
//
// Threads: construct, start, drain and stop from one thread; the handler runs on the I/O threads.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"
#include "http/tls.h"
#include "http/traffic.h"

namespace craton::http {

/// Answers one request, on the connection's I/O thread. When the peer goes away meanwhile, the
/// coroutine is cancelled: its pending wait ends with operation_aborted. An exception that leaves
/// it becomes a 500 and a line in the log.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;

/// Answers what never becomes a request: malformed, too large, timed out. `status` is 400, 408,
/// 413, 414, 431, 501 (unknown transfer coding) or 505, or 500 when an exception left the handler;
/// `reason` is a sentence that says what was wrong.
using RefusalWriter = std::function<Response(int status, std::string_view reason)>;

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< IPv4 or IPv6 address, or a name that resolves to one.
  std::uint16_t port = 0;          ///< 0: one that is free.
  int threads = 1;
  std::size_t body_bytes_max = 25'000'000;   ///< Source: InvokeModel's `body` in the service model.
  std::size_t header_bytes_max = 64 * 1024;  ///< Request line and header fields together.
  std::shared_ptr<const TlsContext> tls;     ///< Null: HTTP in clear text.
  std::uint32_t streams_max = 256;           ///< Open at once on one HTTP/2 connection.
  std::chrono::milliseconds handshake_timeout{10'000};  ///< For all of TLS's.
  std::chrono::milliseconds header_timeout{
      30'000};  ///< From a request's first byte to its last header.
  std::chrono::milliseconds body_timeout{60'000};  ///< Between two pieces of a body.
  std::chrono::milliseconds idle_timeout{
      120'000};  ///< Between requests. SDKs' pools expect 60 s or more.
  std::chrono::milliseconds write_timeout{
      60'000};  ///< Between two pieces of an answer being taken.
};

class Server {
 public:
  Server(ServerOptions options, Handler handler, RefusalWriter refuse);
  ~Server();  ///< Stops at once, if stop() has not.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds, listens and serves on its own threads.
  /// Fails with `internal_server` when the address cannot be had; the message names it and the
  /// cure.
  Result<void> start();

  /// The port that was bound, after start().
  std::uint16_t port() const;

  /// What its connections have carried, while it is started; from any thread.
  Traffic traffic() const;

  /// Refuses new connections, lets requests in progress finish, closes idle connections. Returns
  /// true when all are done, false when `limit` passes or stop() is called first.
  bool drain(std::chrono::milliseconds limit);

  /// Closes everything at once and joins the threads. Idempotent; may be called while another
  /// thread is in drain().
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace craton::http
