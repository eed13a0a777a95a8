// Claim: what a request says of its own signature, in its Authorization header or in its query
// (a presigned URL). Nothing of it is true before verify() says so.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sigv4/canonical_request.h"
#include "sigv4/sign.h"

namespace craton::sigv4 {

struct Claim {
  std::string access_key_id;
  std::string scope_date;  ///< YYYYMMDD
  std::string region;
  std::string service;
  std::string signed_headers;  ///< "host;x-amz-date"
  std::string signature;       ///< As sent.
  std::string date;            ///< "20261123T000000Z"
  WallTime at;                 ///< The same as a time.
  std::string security_token;  ///< Of temporary credentials; empty: there is none.
  std::optional<std::chrono::seconds> expires = std::nullopt;  ///< Of a presigned URL.

  Scope scope() const { return {scope_date, region, service}; }
};

/// What of a request a claim is read from, and a signature made over.
struct SignedRequest {
  std::string_view method;
  std::string_view target;  ///< Path and query as on the wire.
  std::string_view body;
  HeaderValue header;
};

/// Fails with `missing_authentication_token` where there is none, and with `incomplete_signature`,
/// saying what is missing, where one is broken.
/// Source: the texts that AWS's services answer with.
Result<Claim> read_claim(const SignedRequest& request);

/// True where a request is signed with this scheme, be it right or wrong: else it may hold a token
/// of another kind.
bool claims_signature(const SignedRequest& request);

/// What a claim is held against beside the secret.
struct Expected {
  std::string_view region;
  std::string_view service;
  WallTime now;
};

/// How far the clocks of both sides may be apart.
inline constexpr std::chrono::minutes clock_skew_max{5};

/// Fails with `invalid_signature` where it is for another time, Region or service.
Result<void> check_claim(const Claim& claim, const Expected& expected);

/// Fails with `invalid_signature`, and the text that should have been signed, where the signature
/// is not that of `request` by `key` (sign.h).
Result<void> verify(const SignedRequest& request, const Claim& claim, const Sha256Digest& key);

}  // namespace craton::sigv4
