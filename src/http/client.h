// Client: requests to other servers, many at once. Over libcurl, whose variables (https_proxy,
// no_proxy, SSL_CERT_FILE, …) are honoured; HTTP/2 where TLS offers it; connections are kept and
// shared.
//
//   send(request, handlers) ──► the client's thread: epoll ─► libcurl ─► on_head ─► on_body … ─►
//   on_end
//        resume(), cancel() ──►
//
// Threads: any function may be called from any thread; handlers are called on the client's own, and
// must not block it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace craton::http {

struct ClientOptions {
  std::string authority_file = {};  ///< PEM file of who is trusted; empty: whom the system trusts.
  std::string proxy = {};           ///< For all requests; empty: what the variables say.
  std::size_t connections_max = 0;  ///< To one host, others wait for their turn; 0: no bound.
  std::size_t idle_connections = 64;  ///< Kept for later requests.
};

enum class Protocol {
  automatic,  ///< HTTP/2 where the server offers it in TLS, else HTTP/1.1.
  http1,
  http2_plaintext,  ///< HTTP/2 from the first byte, without TLS.
};

struct ClientRequest {
  std::string method = "GET";
  std::string url = {};  ///< http or https; sent as it stands, its dots and encodings untouched.
  Headers headers = {};  ///< Without Host and Content-Length, unless they are to be other ones.
  std::string body = {};
  Protocol protocol = Protocol::automatic;
  /// False: a body is sent once. Else it is sent again where a kept connection turns out to have
  /// ended; the server may have seen it.
  bool repeatable = true;
  std::chrono::milliseconds connect_limit{10'000};  ///< Name, connection and TLS.
  std::chrono::milliseconds idle_limit{0};          ///< Without a byte of the answer; 0: none.
  std::chrono::milliseconds limit{0};               ///< For everything; 0: none.
};

struct ClientHead {
  int status = 0;
  Headers headers;
};

/// Why there is no whole answer.
enum class TransferFault {
  none,         ///< There is one.
  unreachable,  ///< No connection, or none that could be trusted: the server saw no request.
  timed_out,    ///< One of the request's limits has passed.
  broken,       ///< The connection ended before the answer did, or what came is no HTTP.
  cancelled,    ///< By cancel(), or the client is gone.
};

struct TransferEnd {
  TransferFault fault = TransferFault::none;
  std::string reason = {};  ///< "Connection refused"; empty without a fault.
};

struct ClientHandlers {
  /// Once, before any of the body. May be null, as on_body may.
  std::function<void(ClientHead)> on_head = nullptr;
  /// The next bytes, never none. False: not taken; the same bytes come again after resume().
  std::function<bool(std::string_view)> on_body = nullptr;
  /// Once, whatever happens, and last.
  std::function<void(TransferEnd)> on_end = nullptr;
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  /// Cancels what is in progress, and waits until its handlers have returned. Not on its own
  /// thread.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// A request in progress. Letting go of it changes nothing.
  class Transfer {
   public:
    virtual ~Transfer() = default;
    /// Bytes that on_body did not take are offered again.
    virtual void resume() = 0;
    /// Ends it, if it has not ended; on_end tells. Idempotent.
    virtual void cancel() = 0;
  };

  /// Cancels what is in progress, and waits until its handlers have returned; what is sent later
  /// is cancelled at once. Not on its own thread. Idempotent.
  void stop();

  std::shared_ptr<Transfer> send(ClientRequest request, ClientHandlers handlers);

  /// Calls `call` on the client's thread when that time has passed; at once, when the client goes.
  void call_later(std::chrono::milliseconds time, std::function<void()> call);

 private:
  class Loop;
  const std::shared_ptr<Loop> loop_;
};

}  // namespace craton::http
