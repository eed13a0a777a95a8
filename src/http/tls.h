// The server's end of TLS: a certificate, and encryption of one socket's bytes. Over OpenSSL.
//
// TLS 1.2 and newer. By ALPN clients choose between HTTP/2 and HTTP/1.1; those that name neither
// are served too, as their first bytes say what they speak.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include "base/result.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace craton::http {

/// A certificate and its key. May be used by all threads.
class TlsContext {
 public:
  /// `certificate`: a PEM file of the server's certificate and those that lead to its authority's.
  /// `key`: a PEM file of its private key; may be the same file.
  /// Fails with `validation`: one line that names the file and what is wrong.
  static Result<std::shared_ptr<TlsContext>> from_files(const std::filesystem::path& certificate,
                                                        const std::filesystem::path& key);

  /// Connections from now on are served by what `other` has; those that are there stay as they are.
  void replace_by(TlsContext& other);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSocket;
  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  SSL* new_connection() const;

  mutable std::mutex mutex_;
  SSL_CTX* context_;
};

/// One connected, non-blocking socket. Nothing here blocks.
///
/// Threads: one, on which SIGPIPE is blocked, as OpenSSL writes without MSG_NOSIGNAL.
class TlsSocket {
 public:
  enum class Step { done, wants_read, wants_write, plain_http, failed };

  /// Both outlive it.
  TlsSocket(const TlsContext& context, int socket);
  ~TlsSocket();
  TlsSocket(const TlsSocket&) = delete;
  TlsSocket& operator=(const TlsSocket&) = delete;

  /// Goes on with the handshake. `plain_http`: the client speaks HTTP without TLS.
  Step shake_hands();

  /// Whether anything has come from the client.
  bool has_begun() const;

  struct Progress {
    Step step;  ///< `done` when there are bytes, however few.
    std::size_t size = 0;
  };

  /// `buffer` has room for two records, 32 KiB. Takes in all that is there, or all but a record:
  /// nothing stays behind that the socket does not tell of.
  Progress read(std::span<char> buffer);

  /// When `wants_write` or `wants_read` came, the next call must bring the same bytes, or more.
  Progress write(std::span<const std::string_view> parts);

  /// Tells the peer that nothing more comes.
  void say_end();

 private:
  Step step_of(int result);

  SSL* ssl_;
  bool broken_ = false;
};

}  // namespace craton::http
