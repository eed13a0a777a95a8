#include "sigv4/sign.h"

namespace craton::sigv4 {

Sha256Digest signing_key(std::string_view secret, const Scope& scope) {
  std::string first = "AWS4";
  first += secret;
  Sha256Digest key = hmac_sha256(first, scope.date);
  for (const std::string_view part : {scope.region, scope.service, terminator}) {
    key = hmac_sha256(bytes_of(key), part);
  }
  return key;
}

std::string string_to_sign(std::string_view date, const Scope& scope,
                           std::string_view canonical_request) {
  std::string text;
  text.reserve(192);
  text += algorithm;
  text += '\n';
  text += date;
  text += '\n';
  for (const std::string_view part : {scope.date, scope.region, scope.service}) {
    text += part;
    text += '/';
  }
  text += terminator;
  text += '\n';
  text += hex_of(bytes_of(sha256(canonical_request)));
  return text;
}

std::string signature(const Sha256Digest& key, std::string_view string_to_sign) {
  return hex_of(bytes_of(hmac_sha256(bytes_of(key), string_to_sign)));
}

}  // namespace craton::sigv4
