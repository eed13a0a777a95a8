// Gate: who is asking.
//
//   Authorization: AWS4-HMAC-SHA256 …       a signature by an access key (sigv4/claim.h)
//   …?X-Amz-Signature=…                     the same, presigned
//   Authorization: Bearer ABSK…             a long-term API key
//   Authorization: Bearer bedrock-api-key-… a short-term one: base64 of a presigned request
//   x-api-key: …                            either, as clients of other providers send them
//
// The file of keys is read again when it has changed.
//
// Threads: any function may be called from any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "auth/meter.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "http/message.h"
#include "sigv4/claim.h"

namespace craton::auth {

/// Who was let in.
struct Caller {
  std::shared_ptr<const Identity> identity;
  std::shared_ptr<Meter> meter;
};

struct GateOptions {
  std::filesystem::path keys;  ///< The file of keys.
  std::string region;          ///< That signatures must be for.
  WallClock now = system_now;
};

class Gate {
 public:
  /// Fails with `validation` when the file of keys is broken.
  static Result<std::unique_ptr<Gate>> open(GateOptions options);

  /// Fails in AWS's words when nobody is asking who may: with `missing_authentication_token`,
  /// `incomplete_signature`, `invalid_signature`, `unrecognized_client`, `expired_token` or
  /// `not_authorized`.
  Result<Caller> admit(const http::Request& request);

  /// Keys that there are now.
  std::size_t keys();

 private:
  struct Ring;

  explicit Gate(GateOptions options) : options_(std::move(options)) {}

  std::shared_ptr<const Ring> ring();
  Result<Caller> by_signature(const Ring& ring, const sigv4::SignedRequest& request,
                              std::string_view service);
  Result<Caller> by_api_key(const Ring& ring, std::string_view key);
  Result<Caller> by_short_term_key(const Ring& ring, std::string_view key);
  Sha256Digest signing_key(const Identity& identity, const sigv4::Claim& claim);
  Caller caller(std::shared_ptr<const Identity> identity);

  const GateOptions options_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Ring> ring_;
  std::filesystem::file_time_type changed_{};
  SteadyTime looked_{};
  std::map<std::string, std::shared_ptr<Meter>, std::less<>> meters_;  ///< By key id.
  std::map<std::string, Sha256Digest, std::less<>> signing_keys_;      ///< By secret and scope.
};

}  // namespace craton::auth
