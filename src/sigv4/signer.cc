#include "sigv4/signer.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include "base/dates.h"
#include "base/sha256.h"
#include "sigv4/canonical_request.h"
#include "sigv4/sign.h"

namespace craton::sigv4 {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

Fields sign(const RequestToSign& request, const Credentials& credentials, const Audience& audience,
            WallTime now) {
  const std::string date = date_text(now, "%Y%m%dT%H%M%SZ");
  const Scope scope{std::string_view(date).substr(0, 8), audience.region, audience.service};
  Fields added{{"X-Amz-Date", date}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }

  std::map<std::string, std::string> fields{{"host", std::string(request.host)}};  // sorted
  for (const Fields* some : {&request.headers, static_cast<const Fields*>(&added)}) {
    for (const auto& [name, value] : *some) fields[lower(name)] = value;
  }
  std::string names;
  for (const auto& [name, value] : fields) names += (names.empty() ? "" : ";") + name;

  const std::string payload_hash = hex_of(bytes_of(sha256(request.body)));
  const auto header = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = fields.find(std::string(name));
    return found == fields.end() ? std::nullopt : std::optional(found->second);
  };
  const auto canonical =
      canonical_request({request.method, request.path, request.query, names, payload_hash}, header);
  const Sha256Digest key = signing_key(credentials.secret_access_key, scope);
  std::string authorization(algorithm);
  authorization += " Credential=" + credentials.access_key_id + "/" + std::string(scope.date) +
                   "/" + std::string(scope.region) + "/" + std::string(scope.service) + "/" +
                   std::string(terminator);
  authorization += ", SignedHeaders=" + names;
  authorization +=
      ", Signature=" + signature(key, string_to_sign(date, scope, canonical.value_or("")));
  added.emplace_back("Authorization", std::move(authorization));
  return added;
}

}  // namespace craton::sigv4
