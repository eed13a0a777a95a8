#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <string>

namespace craton::http {
namespace {

constexpr std::size_t record_bytes_max = SSL3_RT_MAX_PLAIN_LENGTH;

// Those of TLS 1.2 that HTTP/2 allows (RFC 9113 9.2.2): forward secrecy, and authenticated.
constexpr const char* tls_1_2_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

// In the server's order. Each name after its length.
constexpr unsigned char protocols[] = "\x02h2\x08http/1.1";

Error unusable(const std::filesystem::path& file, const std::string& what) {
  return {ErrorCode::validation, file.string() + ": " + what};
}

std::string reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  return text ? text : "unknown reason";
}

Result<void> check_readable(const std::filesystem::path& file) {
  errno = 0;
  const std::ifstream stream(file);
  if (stream && !std::filesystem::is_directory(file)) return {};
  return unusable(file, std::string("cannot be read: ") +
                            (errno != 0 ? std::strerror(errno) : "it is no file"));
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* choice = nullptr;
  const int result =
      SSL_select_next_proto(&choice, size, protocols, sizeof protocols - 1, offered, offered_size);
  *chosen = choice;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// Nobody is at hand to be asked.
int no_password(char*, int, int, void*) { return -1; }

void set_up(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, tls_1_2_ciphers);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets resume sessions
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_password);
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::from_files(const std::filesystem::path& certificate,
                                                           const std::filesystem::path& key) {
  CRATON_TRY(check_readable(certificate));
  CRATON_TRY(check_readable(key));
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (!context) throw std::bad_alloc();
  std::shared_ptr<TlsContext> made(new TlsContext(context));
  set_up(context);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return unusable(certificate, "holds no usable PEM certificate (" + reason() + ")");
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1) return made;
  if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
    return unusable(key, "is not the key of the certificate in " + certificate.string());
  }
  return unusable(key, "holds no usable PEM private key (" + reason() +
                           "); one with a passphrase must be decrypted first");
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

void TlsContext::replace_by(TlsContext& other) {
  const std::scoped_lock lock(mutex_, other.mutex_);
  std::swap(context_, other.context_);
}

SSL* TlsContext::new_connection() const {
  const std::lock_guard lock(mutex_);
  return SSL_new(context_);  // which holds on to it
}

TlsSocket::TlsSocket(const TlsContext& context, int socket) : ssl_(context.new_connection()) {
  if (!ssl_ || SSL_set_fd(ssl_, socket) != 1) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
}

TlsSocket::~TlsSocket() { SSL_free(ssl_); }

TlsSocket::Step TlsSocket::step_of(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE: return Step::done;
    case SSL_ERROR_WANT_READ: return Step::wants_read;
    case SSL_ERROR_WANT_WRITE: return Step::wants_write;
    case SSL_ERROR_ZERO_RETURN: return Step::failed;  // the peer's end, in order
    default: break;
  }
  broken_ = true;
  const bool plain = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_HTTP_REQUEST;
  return plain ? Step::plain_http : Step::failed;
}

TlsSocket::Step TlsSocket::shake_hands() {
  ERR_clear_error();
  return step_of(SSL_accept(ssl_));
}

bool TlsSocket::has_begun() const { return BIO_number_read(SSL_get_rbio(ssl_)) > 0; }

TlsSocket::Progress TlsSocket::read(std::span<char> buffer) {
  std::size_t total = 0;
  while (buffer.size() - total >= record_bytes_max) {
    std::size_t size = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, buffer.data() + total, buffer.size() - total, &size);
    total += size;
    if (result == 1) continue;
    const Step step = step_of(result);
    if (total == 0) return {step};
    break;  // an error shows again at the next call
  }
  return {Step::done, total};
}

TlsSocket::Progress TlsSocket::write(std::span<const std::string_view> parts) {
  std::array<char, record_bytes_max> record;
  std::size_t filled = 0;
  for (const std::string_view part : parts) {
    const std::size_t size = std::min(part.size(), record.size() - filled);
    std::copy_n(part.data(), size, record.data() + filled);
    filled += size;
  }
  std::size_t size = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_, record.data(), filled, &size);
  return result == 1 ? Progress{Step::done, size} : Progress{step_of(result)};
}

void TlsSocket::say_end() {
  if (broken_ || SSL_is_init_finished(ssl_) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

}  // namespace craton::http
