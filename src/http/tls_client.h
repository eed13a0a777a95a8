// For tests: a blocking TLS client.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "http/raw_client.h"

namespace craton::http {

struct TlsClientOptions {
  std::string authority;           ///< File of what is trusted; empty: anything is.
  std::string host = "127.0.0.1";  ///< That the certificate has to name.
  std::string protocols;           ///< For ALPN, each after its length.
  int version_max = 0;
  int receive_buffer = 0;
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsClientOptions& options = {})
      : socket_(port, options.receive_buffer), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, options.version_max);
    if (!options.authority.empty()) {
      SSL_CTX_load_verify_locations(context_, options.authority.c_str(), nullptr);
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    }
    ssl_ = SSL_new(context_);
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_);
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, options.host.c_str()) != 1) {
      X509_VERIFY_PARAM_set1_host(wanted, options.host.data(), options.host.size());
    }
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(options.protocols.data()),
                        static_cast<unsigned>(options.protocols.size()));
    SSL_set_fd(ssl_, socket_.descriptor());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }

  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  bool send(std::string_view bytes) {
    std::size_t sent = 0;
    return bytes.empty() || SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent) == 1;
  }

  /// Some bytes; empty at the end.
  std::string receive() {
    std::string bytes(16 * 1024, '\0');
    std::size_t size = 0;
    SSL_read_ex(ssl_, bytes.data(), bytes.size(), &size);
    bytes.resize(size);
    return bytes;
  }

  /// All up to the end.
  std::string receive_all() {
    std::string all;
    for (std::string some = receive(); !some.empty(); some = receive()) all += some;
    return all;
  }

  /// Whether the end that receive() met was one in order.
  bool ended_in_order() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

  RawClient& socket() { return socket_; }

 private:
  RawClient socket_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
};

}  // namespace craton::http
