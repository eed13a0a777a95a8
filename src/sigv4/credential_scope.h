// The credential scope of a signed request: who signed it, when, and for which Region and service.
//
//   Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/bedrock/aws4_request,
//                  SignedHeaders=host;x-amz-date, Signature=…
//
// Reads only: nothing is verified, and what a caller claims here proves nothing. SigV4A
// (`AWS4-ECDSA-P256-SHA256`) signs for no single Region, so its scope has four parts and an empty
// Region here.
// Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <optional>
#include <string_view>

namespace craton::sigv4 {

/// Views into the header that was parsed.
struct CredentialScope {
  std::string_view access_key_id;  ///< Never empty.
  std::string_view date;           ///< YYYYMMDD, as sent.
  std::string_view region;         ///< Empty when the client had none set: botocore signs so.
  std::string_view service;        ///< "bedrock", also for the runtime.

  friend bool operator==(const CredentialScope&, const CredentialScope&) = default;
};

/// The scope in an Authorization header's value; nullopt for any other scheme (a bearer token) and
/// for a credential that has not the parts above. Spaces around parameters do not matter.
std::optional<CredentialScope> parse_credential_scope(std::string_view authorization);

}  // namespace craton::sigv4
