#include "http/self_signed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/files.h"

namespace craton::http {
namespace {

using namespace std::chrono;

constexpr hours authority_life{24 * 3650};
constexpr hours server_life{24 * 397};    // what browsers and Apple take at most
constexpr hours renewal_before{24 * 30};  // its end
constexpr hours clock_error{1};           // of a client's clock

template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

/// A certificate and its key.
struct Pair {
  Certificate certificate;
  Key key;
};

// Only want of memory makes these calls fail.
template <class T>
T* must(T* made) {
  if (!made) throw std::bad_alloc();
  return made;
}
void must(int result) {
  if (result <= 0) throw std::bad_alloc();
}

// What can stand in a list of alternative names. Nobody reaches a server by anything else.
bool is_plain(const std::string& host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored;
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

// Making.

void add_extension(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(must(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str())));
  must(X509_add_ext(certificate, extension.get(), -1));
}

void set_serial_number(X509* certificate) {
  std::array<unsigned char, 16> bytes;
  must(RAND_bytes(bytes.data(), bytes.size()));
  bytes[0] = (bytes[0] & 0x7f) | 0x40;  // positive, and always as long
  const std::unique_ptr<BIGNUM, Free<BN_free>> number(
      must(BN_bin2bn(bytes.data(), bytes.size(), nullptr)));
  must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)));
}

Pair new_certificate(const std::string& name, WallTime now, hours life) {
  Pair made{Certificate(must(X509_new())), Key(must(EVP_EC_gen("P-256")))};
  X509* certificate = made.certificate.get();
  must(X509_set_version(certificate, X509_VERSION_3));
  set_serial_number(certificate);
  must(ASN1_TIME_set(X509_getm_notBefore(certificate), system_clock::to_time_t(now - clock_error)));
  must(ASN1_TIME_set(X509_getm_notAfter(certificate), system_clock::to_time_t(now + life)));
  must(X509_set_pubkey(certificate, made.key.get()));
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (const auto& [field, value] : {std::pair{"O", std::string("Craton")}, {"CN", name}}) {
    must(X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0));
  }
  return made;
}

Pair make_authority(WallTime now) {
  Pair made = new_certificate("Craton authority of this machine", now, authority_life);
  X509* certificate = made.certificate.get();
  must(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  must(X509_sign(certificate, made.key.get(), EVP_sha256()));
  return made;
}

std::string alternative_names(std::span<const std::string> hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    if (!names.empty()) names += ',';
    names += (is_address(host) ? "IP:" : "DNS:") + host;
  }
  return names;
}

Pair make_server(const Pair& authority, std::span<const std::string> hosts, WallTime now) {
  Pair made = new_certificate("Craton", now, server_life);
  X509* certificate = made.certificate.get();
  X509* issuer = authority.certificate.get();
  must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
  add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
  add_extension(certificate, issuer, NID_subject_alt_name, alternative_names(hosts));
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  must(X509_sign(certificate, authority.key.get(), EVP_sha256()));
  return made;
}

// Judging.

bool ends_after(const X509* certificate, WallTime time) {
  std::time_t seconds = system_clock::to_time_t(time);
  return X509_cmp_time(X509_get0_notAfter(certificate), &seconds) > 0;
}

bool names_host(X509* certificate, const std::string& host) {
  return is_address(host) ? X509_check_ip_asc(certificate, host.c_str(), 0) == 1
                          : X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
}

bool is_usable(const Pair& pair, WallTime until) {
  return pair.certificate && pair.key && ends_after(pair.certificate.get(), until) &&
         X509_check_private_key(pair.certificate.get(), pair.key.get()) == 1;
}

bool is_usable_server(const Pair& server, const Pair& authority, std::span<const std::string> hosts,
                      WallTime now) {
  return is_usable(server, now + renewal_before) &&
         X509_verify(server.certificate.get(), authority.key.get()) == 1 &&
         std::all_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
           return names_host(server.certificate.get(), host);
         });
}

// Files.

Bio bio_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  Bio bio(must(BIO_new(BIO_s_mem())));
  BIO_write(bio.get(), text.data(), static_cast<int>(text.size()));
  return bio;
}

/// What is missing or unreadable is null.
Pair read_pair(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  Pair pair;
  pair.certificate.reset(PEM_read_bio_X509(bio_of(certificate).get(), nullptr, nullptr, nullptr));
  pair.key.reset(PEM_read_bio_PrivateKey(bio_of(key).get(), nullptr, nullptr, nullptr));
  return pair;
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(const Certificate& certificate) {
  const Bio bio(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509(bio.get(), certificate.get()));
  return text_of(bio.get());
}

std::string pem_of(const Key& key) {
  const Bio bio(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr));
  return text_of(bio.get());
}

Error unwritable(const std::filesystem::path& path) {
  return {ErrorCode::validation, path.string() + ": cannot be written: " + std::strerror(errno) +
                                     "; choose another --data"};
}

Result<void> write_file(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const Result<void> written = replace_file(path, text, mode);
  if (!written) return unwritable(path);
  return {};
}

std::vector<std::string> all_hosts(std::span<const std::string> more) {
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  for (const std::string& host : more) {
    const bool known = std::find(hosts.begin(), hosts.end(), host) != hosts.end();
    if (!known && is_plain(host)) hosts.push_back(host);
  }
  return hosts;
}

}  // namespace

Result<SelfSigned> self_signed(const std::filesystem::path& folder,
                               std::span<const std::string> more_hosts, WallTime now) {
  const std::vector<std::string> hosts = all_hosts(more_hosts);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::filesystem::path lock_file = folder / "lock";
  const Descriptor lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return unwritable(lock_file);

  const std::filesystem::path authority_key = folder / "ca-key.pem";
  const SelfSigned files{folder / "ca.pem", folder / "server.pem"};
  Pair authority = read_pair(files.authority, authority_key);
  if (!is_usable(authority, now + server_life)) {
    authority = make_authority(now);
    CRATON_TRY(write_file(authority_key, pem_of(authority.key), S_IRUSR | S_IWUSR));
    CRATON_TRY(write_file(files.authority, pem_of(authority.certificate),
                          S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH));
  }
  Pair server = read_pair(files.certificate, files.certificate);
  if (!is_usable_server(server, authority, hosts, now)) {
    server = make_server(authority, hosts, now);
    CRATON_TRY(write_file(files.certificate, pem_of(server.certificate) + pem_of(server.key),
                          S_IRUSR | S_IWUSR));
  }
  return files;
}

}  // namespace craton::http
