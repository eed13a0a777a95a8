// Signatures: HMAC-SHA256 over a canonical request, by a key that is derived from the secret for
// one day, Region and service.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/sha256.h"

namespace craton::sigv4 {

inline constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view terminator = "aws4_request";
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// For what a key is made.
struct Scope {
  std::string_view date;  ///< YYYYMMDD
  std::string_view region;
  std::string_view service;
};

Sha256Digest signing_key(std::string_view secret, const Scope& scope);

/// `date`: of the request, "20261123T000000Z".
std::string string_to_sign(std::string_view date, const Scope& scope,
                           std::string_view canonical_request);

/// 64 hexadecimal digits.
std::string signature(const Sha256Digest& key, std::string_view string_to_sign);

}  // namespace craton::sigv4
