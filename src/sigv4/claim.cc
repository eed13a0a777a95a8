#include "sigv4/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <span>

#include "base/base64.h"
#include "base/dates.h"
#include "sigv4/fields.h"
#include "sigv4/percent.h"

namespace craton::sigv4 {
namespace {

Error incomplete(std::string message) {
  return {ErrorCode::incomplete_signature, std::move(message)};
}

Error invalid(std::string message) { return {ErrorCode::invalid_signature, std::move(message)}; }

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view query_of(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

/// A parameter of the query, decoded; nullopt when it is absent.
std::optional<std::string> parameter(std::string_view target, std::string_view name) {
  for (std::string_view query = query_of(target); !query.empty();) {
    std::string_view value = take_until('&', query);
    if (take_until('=', value) == name) return percent_decoded(value);
  }
  return std::nullopt;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Of this and the next centuries: a clock of nanoseconds knows no others.
std::optional<WallTime> time_of(std::tm parts) {
  constexpr int first_year = 1970, last_year = 2200, origin = 1900;
  if (parts.tm_year < first_year - origin || parts.tm_year > last_year - origin) {
    return std::nullopt;
  }
  const std::tm told = parts;
  const std::time_t seconds = ::timegm(&parts);
  const bool exists = parts.tm_mday == told.tm_mday && parts.tm_mon == told.tm_mon &&
                      parts.tm_hour == told.tm_hour && parts.tm_min == told.tm_min;
  if (!exists) return std::nullopt;  // the 30th of February
  return WallTime(std::chrono::seconds(seconds));
}

/// "20261123T000000Z"
std::optional<WallTime> basic_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  constexpr std::array<std::pair<int, int>, 6> places{
      {{0, 4}, {4, 2}, {6, 2}, {9, 2}, {11, 2}, {13, 2}}};
  std::array<int, 6> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view digits = text.substr(static_cast<std::size_t>(places[i].first),
                                                static_cast<std::size_t>(places[i].second));
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    parts[i] = *number(digits);
  }
  std::tm time{};
  time.tm_year = parts[0] - 1900;
  time.tm_mon = parts[1] - 1;
  time.tm_mday = parts[2];
  time.tm_hour = parts[3];
  time.tm_min = parts[4];
  time.tm_sec = parts[5];
  return time_of(time);
}

std::string basic_text(WallTime time) { return date_text(time, "%Y%m%dT%H%M%SZ"); }

/// "Mon, 23 Nov 2026 00:00:00 GMT"
std::optional<WallTime> http_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end != '\0') return std::nullopt;
  return time_of(parts);
}

bool is_signature_scheme(std::string_view authorization) {
  return trimmed(authorization).starts_with("AWS4-");
}

/// "keyid/20261123/us-east-1/bedrock/aws4_request"; a key id may hold anything.
Result<void> read_credential(std::string_view credential, Claim& claim) {
  std::array<std::string_view, 4> parts;  // from its end
  std::string_view rest = credential;
  for (std::string_view& part : parts) {
    const std::size_t slash = rest.rfind('/');
    if (slash == std::string_view::npos) {
      return incomplete(
          fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                      "keyid/date/region/service/term, got '{}'",
                      credential));
    }
    part = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  if (parts[0] != terminator) {
    return incomplete(
        fmt::format("Credential should be scoped with a valid terminator: '{}', not '{}'.",
                    terminator, parts[0]));
  }
  claim.service = parts[1];
  claim.region = parts[2];
  claim.scope_date = parts[3];
  claim.access_key_id = rest;
  return {};
}

Result<void> read_date(std::string_view text, Claim& claim) {
  const auto basic = basic_time(text);
  const auto time = basic ? basic : http_time(std::string(text));
  if (!time) {
    return incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    text));
  }
  claim.at = *time;
  claim.date = basic_text(*time);
  return {};
}

std::string hashed(std::string_view authorization) {
  std::string base64;
  append_base64(bytes_of(sha256(authorization)), base64);
  return base64;
}

Result<Claim> read_header(const SignedRequest& request, std::string_view authorization) {
  std::string_view rest = trimmed(authorization);
  const std::string_view scheme = take_until(' ', rest);
  if (scheme != algorithm) {
    return incomplete(fmt::format("Unsupported AWS 'algorithm': '{}'.", scheme));
  }
  Claim claim{};
  std::string credential;
  while (!rest.empty()) {
    std::string_view value = trimmed(take_until(',', rest));
    const std::string_view name = trimmed(take_until('=', value));
    if (name == "Credential") credential = trimmed(value);
    if (name == "SignedHeaders") claim.signed_headers = trimmed(value);
    if (name == "Signature") claim.signature = trimmed(value);
  }
  std::optional<std::string> date = request.header("x-amz-date");
  if (!date) date = request.header("date");
  std::string missing;
  const std::pair<std::string_view, bool> needed[] = {
      {"Credential", !credential.empty()},
      {"Signature", !claim.signature.empty()},
      {"SignedHeaders", !claim.signed_headers.empty()},
  };
  for (const auto& [name, there] : needed) {
    if (!there) missing += fmt::format("Authorization header requires '{}' parameter. ", name);
  }
  if (!date) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) {
    return incomplete(missing + "(Hashed with SHA-256 and encoded with Base64) Authorization=" +
                      hashed(authorization));
  }
  CRATON_TRY(read_credential(credential, claim));
  CRATON_TRY(read_date(trimmed(*date), claim));
  claim.security_token = request.header("x-amz-security-token").value_or("");
  return claim;
}

Result<Claim> read_query(const SignedRequest& request) {
  Claim claim{};
  const auto required = [&](std::string_view name) -> Result<std::string> {
    std::optional<std::string> value = parameter(request.target, name);
    if (value && !value->empty()) return *std::move(value);
    return incomplete(
        fmt::format("AWS query-string parameters must include '{}'. "
                    "Re-examine the query-string parameters.",
                    name));
  };
  CRATON_TRY_ASSIGN(const std::string scheme, required("X-Amz-Algorithm"));
  if (scheme != algorithm) {
    return incomplete(fmt::format("Unsupported AWS 'algorithm': '{}'.", scheme));
  }
  CRATON_TRY_ASSIGN(const std::string credential, required("X-Amz-Credential"));
  CRATON_TRY_ASSIGN(claim.signature, required("X-Amz-Signature"));
  CRATON_TRY_ASSIGN(claim.signed_headers, required("X-Amz-SignedHeaders"));
  CRATON_TRY_ASSIGN(const std::string date, required("X-Amz-Date"));
  CRATON_TRY(read_credential(credential, claim));
  CRATON_TRY(read_date(date, claim));
  if (const auto expires = parameter(request.target, "X-Amz-Expires")) {
    constexpr int week = 7 * 24 * 3600;
    const std::optional<int> seconds = number(*expires);
    if (!seconds || *seconds < 0 || *seconds > week) {
      return incomplete(fmt::format(
          "X-Amz-Expires must be between 0 and {} seconds, inclusive. Got '{}'.", week, *expires));
    }
    claim.expires = std::chrono::seconds(*seconds);
  }
  claim.security_token = parameter(request.target, "X-Amz-Security-Token").value_or("");
  return claim;
}

/// Of the body, or what the request says in its place. A body that is signed piece by piece has a
/// name in place of its hash.
std::string payload_hash(const SignedRequest& request) {
  const auto told = request.header("x-amz-content-sha256");
  const bool named =
      told && (*told == unsigned_payload || told->starts_with("STREAMING-AWS4-HMAC-SHA256-"));
  return named ? *told : hex_of(bytes_of(sha256(request.body)));
}

bool names_host(std::string_view signed_headers) {
  while (!signed_headers.empty()) {
    const std::string_view name = take_until(';', signed_headers);
    if (name == "host" || name == ":authority") return true;
  }
  return false;
}

Error mismatch(std::string_view canonical, std::string_view to_sign) {
  return invalid(fmt::format(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details."
      "\n\nThe Canonical String for this request should have been\n'{}'"
      "\n\nThe String-to-Sign should have been\n'{}'\n",
      canonical, to_sign));
}

}  // namespace

bool claims_signature(const SignedRequest& request) {
  if (const auto authorization = request.header("authorization")) {
    return is_signature_scheme(*authorization);
  }
  return parameter(request.target, "X-Amz-Algorithm").has_value() ||
         parameter(request.target, "X-Amz-Signature").has_value();
}

Result<Claim> read_claim(const SignedRequest& request) {
  if (!claims_signature(request)) {
    return Error{ErrorCode::missing_authentication_token, "Missing Authentication Token"};
  }
  const auto authorization = request.header("authorization");
  return authorization ? read_header(request, *authorization) : read_query(request);
}

Result<void> check_claim(const Claim& claim, const Expected& expected) {
  if (claim.scope_date != claim.date.substr(0, 8)) {
    return invalid(fmt::format(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'{}' != '{}', from '{}'.",
        claim.scope_date, claim.date.substr(0, 8), claim.date));
  }
  if (claim.region != expected.region) {
    return invalid(
        fmt::format("Credential should be scoped to a valid Region, not '{}'. ", claim.region));
  }
  if (claim.service != expected.service) {
    return invalid(
        fmt::format("Credential should be scoped to correct service: '{}'. ", expected.service));
  }
  const std::string now = basic_text(expected.now);
  if (claim.at > expected.now + clock_skew_max) {
    return invalid(fmt::format("Signature not yet current: {} is still later than {} ({} + 5 min.)",
                               claim.date, basic_text(expected.now + clock_skew_max), now));
  }
  if (claim.expires) {
    if (claim.at + *claim.expires >= expected.now) return {};
    return invalid(fmt::format("Signature expired: {} is now earlier than {}",
                               basic_text(claim.at + *claim.expires), now));
  }
  if (claim.at >= expected.now - clock_skew_max) return {};
  return invalid(fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)",
                             claim.date, basic_text(expected.now - clock_skew_max), now));
}

Result<void> verify(const SignedRequest& request, const Claim& claim, const Sha256Digest& key) {
  if (!names_host(claim.signed_headers)) {
    return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const std::string hash = payload_hash(request);
  const MessageToSign message{.method = request.method,
                              .path = path_of(request.target),
                              .query = query_of(request.target),
                              .signed_headers = claim.signed_headers,
                              .payload_hash = hash};
  std::string canonical;
  std::string to_sign;
  for (const QueryForm form : {QueryForm::as_sent, QueryForm::encoded_anew}) {
    std::optional<std::string> written = canonical_request(message, request.header, form);
    if (!written) return mismatch("(a signed header is missing)", "");
    if (*written == canonical) break;
    canonical = std::move(*written);
    to_sign = string_to_sign(claim.date, claim.scope(), canonical);
    if (equal_in_constant_time(signature(key, to_sign), claim.signature)) return {};
  }
  return mismatch(canonical, to_sign);
}

}  // namespace craton::sigv4
