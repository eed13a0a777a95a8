// SHA-256, whole or a piece at a time, and codes by it that prove who holds a key. Over OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace craton {

using Sha256Digest = std::array<unsigned char, 32>;

Sha256Digest sha256(std::string_view bytes);

/// HMAC-SHA256 of `bytes`. Source: RFC 2104.
Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// Two hexadecimal digits a byte, in lower case.
std::string hex_of(std::string_view bytes);

/// The digest's bytes.
inline std::string_view bytes_of(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// In a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view left, std::string_view right);

class Sha256 {
 public:
  Sha256();

  void add(std::string_view bytes);

  /// Of all that was added, 64 hexadecimal digits in lower case. Call once, last.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace craton
