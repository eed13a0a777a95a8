#include "sigv4/credential_scope.h"

#include <algorithm>

#include "sigv4/fields.h"

namespace craton::sigv4 {
namespace {

constexpr std::string_view hmac_scheme = "AWS4-HMAC-SHA256";
constexpr std::string_view ecdsa_scheme = "AWS4-ECDSA-P256-SHA256";  // SigV4A
constexpr std::string_view terminator = "aws4_request";
constexpr std::string_view credential_key = "Credential=";

/// The same from the end: an access key id may hold anything, the parts after it no slash.
std::string_view take_last(char separator, std::string_view& text) {
  const std::size_t begin = text.rfind(separator);
  if (begin == std::string_view::npos) return {};
  const std::string_view part = text.substr(begin + 1);
  text = text.substr(0, begin);
  return part;
}

std::optional<std::string_view> find_credential(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = trimmed(take_until(',', parameters));
    if (parameter.starts_with(credential_key)) return parameter.substr(credential_key.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<CredentialScope> parse_credential_scope(std::string_view authorization) {
  std::string_view parameters = trimmed(authorization);
  const std::string_view scheme = take_until(' ', parameters);
  if (scheme != hmac_scheme && scheme != ecdsa_scheme) return std::nullopt;
  const std::optional<std::string_view> credential = find_credential(parameters);
  if (!credential) return std::nullopt;

  std::string_view rest = *credential;
  if (take_last('/', rest) != terminator) return std::nullopt;
  CredentialScope scope;
  scope.service = take_last('/', rest);
  if (scheme == hmac_scheme) scope.region = take_last('/', rest);
  scope.date = take_last('/', rest);
  scope.access_key_id = rest;
  if (scope.service.empty() || scope.date.empty() || rest.empty()) return std::nullopt;
  return scope;
}

}  // namespace craton::sigv4
