// A scope put together again from its parts must be read as the same scope.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sigv4/credential_scope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(reinterpret_cast<const char*>(data), size);
  const auto scope = craton::sigv4::parse_credential_scope(header);
  if (!scope || header.find("ECDSA") != std::string::npos) return 0;
  std::string again = "AWS4-HMAC-SHA256 Signature=0, Credential=";
  for (const auto part : {scope->access_key_id, scope->date, scope->region, scope->service}) {
    again.append(part) += '/';
  }
  if (craton::sigv4::parse_credential_scope(again + "aws4_request") != scope) std::abort();
  return 0;
}
