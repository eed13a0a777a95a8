#include "auth/gate.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "auth/key_file.h"
#include "base/base64.h"
#include "base/log.h"

namespace craton::auth {
namespace {

constexpr std::chrono::seconds look_again_after{1};
constexpr std::size_t signing_keys_max = 4096;
constexpr std::string_view short_term_prefix = "bedrock-api-key-";
constexpr std::string_view long_term_prefix = "ABSK";
constexpr std::string_view short_term_host = "bedrock.amazonaws.com";
/// What the generator of short-term keys appends after signing.
constexpr std::string_view short_term_suffix = "&Version=1";

Error no_such_key() {
  return {ErrorCode::not_authorized,
          "Authentication failed: Please make sure your API Key is valid."};
}

Error key_expired() { return {ErrorCode::not_authorized, "Bearer Token has expired"}; }

Error invalid_token() {
  return {ErrorCode::unrecognized_client, "The security token included in the request is invalid."};
}

bool same_name(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

/// The values of all fields of that name.
std::optional<std::string> values_of(const http::Headers& headers, std::string_view name) {
  std::optional<std::string> joined;
  for (const http::Header& header : headers) {
    if (!same_name(header.name, name)) continue;
    joined ? (void)(*joined += "," + header.value) : (void)(joined = header.value);
  }
  return joined;
}

/// The token of "Bearer TOKEN"; or of x-api-key. Empty: there is none.
std::string_view api_key_of(const http::Headers& headers) {
  constexpr std::string_view scheme = "bearer ";
  const auto authorization = headers.find("authorization");
  if (!authorization) return headers.find("x-api-key").value_or(std::string_view());
  if (!same_name(authorization->substr(0, scheme.size()), scheme)) return {};
  const std::string_view token = authorization->substr(scheme.size());
  return token.substr(std::min(token.find_first_not_of(' '), token.size()));
}

/// Clients of OpenAI's and Anthropic's APIs sign for the service that serves these alone.
std::string_view service_of(std::string_view target, std::string_view claimed) {
  constexpr std::string_view mantle = "bedrock-mantle";
  const bool theirs = target.starts_with("/v1/") || target.starts_with("/openai/") ||
                      target.starts_with("/anthropic/");
  return theirs && claimed == mantle ? mantle : "bedrock";
}

}  // namespace

/// The keys of a file, to be found by what callers send.
struct Gate::Ring {
  std::map<std::string, std::shared_ptr<const Identity>, std::less<>> by_access_key;
  std::map<std::string, std::shared_ptr<const Identity>, std::less<>> by_hash;

  explicit Ring(std::vector<Identity> keys) {
    for (Identity& key : keys) {
      const auto shared = std::make_shared<const Identity>(std::move(key));
      (shared->is_bearer() ? by_hash[shared->key_hash] : by_access_key[shared->key_id]) = shared;
    }
  }

  std::shared_ptr<const Identity> find(const auto& map, std::string_view key) const {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
  }
};

Result<std::unique_ptr<Gate>> Gate::open(GateOptions options) {
  std::unique_ptr<Gate> gate(new Gate(std::move(options)));
  CRATON_TRY_ASSIGN(std::vector<Identity> keys, read_key_file(gate->options_.keys));
  std::error_code error;
  gate->changed_ = std::filesystem::last_write_time(gate->options_.keys, error);
  gate->ring_ = std::make_shared<const Ring>(std::move(keys));
  return gate;
}

std::size_t Gate::keys() {
  const std::shared_ptr<const Ring> now = ring();
  return now->by_access_key.size() + now->by_hash.size();
}

/// A file that turns out to be broken leaves the keys as they were.
std::shared_ptr<const Gate::Ring> Gate::ring() {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now - looked_ < look_again_after) return ring_;
  looked_ = now;
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(options_.keys, error);
  if (changed == changed_) return ring_;
  changed_ = changed;
  Result<std::vector<Identity>> keys = read_key_file(options_.keys);
  if (!keys) {
    log::error("keys_not_reloaded", {{"reason", keys.error().message}});
    return ring_;
  }
  ring_ = std::make_shared<const Ring>(std::move(*keys));
  signing_keys_.clear();
  log::info("keys_reloaded");
  return ring_;
}

Caller Gate::caller(std::shared_ptr<const Identity> identity) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Meter>& meter = meters_[identity->key_id];
  if (!meter) meter = std::make_shared<Meter>();
  return {std::move(identity), meter};
}

/// Derived once a day for each that signs: it is most of a verification's work.
Sha256Digest Gate::signing_key(const Identity& identity, const sigv4::Claim& claim) {
  const std::string name =
      identity.key_id + '/' + claim.scope_date + '/' + claim.region + '/' + claim.service;
  {
    const std::lock_guard lock(mutex_);
    const auto found = signing_keys_.find(name);
    if (found != signing_keys_.end()) return found->second;
  }
  const Sha256Digest key = sigv4::signing_key(identity.secret, claim.scope());
  const std::lock_guard lock(mutex_);
  if (signing_keys_.size() >= signing_keys_max) signing_keys_.clear();
  signing_keys_[name] = key;
  return key;
}

Result<Caller> Gate::by_signature(const Ring& ring, const sigv4::SignedRequest& request,
                                  std::string_view service) {
  CRATON_TRY_ASSIGN(const sigv4::Claim claim, sigv4::read_claim(request));
  const std::string_view wanted =
      service.empty() ? service_of(request.target, claim.service) : service;
  const auto identity = ring.find(ring.by_access_key, claim.access_key_id);
  if (!identity) return invalid_token();
  const std::string token =
      claim.security_token.empty() ? "" : hex_of(bytes_of(sha256(claim.security_token)));
  if (!equal_in_constant_time(token, identity->token_hash)) return invalid_token();
  CRATON_TRY(sigv4::check_claim(claim, {options_.region, wanted, options_.now()}));
  CRATON_TRY(sigv4::verify(request, claim, signing_key(*identity, claim)));
  if (identity->expired(options_.now())) {
    return Error{ErrorCode::expired_token, "The security token included in the request is expired"};
  }
  return caller(identity);
}

Result<Caller> Gate::by_short_term_key(const Ring& ring, std::string_view key) {
  const auto url = base64_bytes(key.substr(short_term_prefix.size()));
  if (!url || !url->starts_with(short_term_host)) return no_such_key();
  std::string_view target = std::string_view(*url).substr(short_term_host.size());
  if (target.ends_with(short_term_suffix)) target.remove_suffix(short_term_suffix.size());
  const sigv4::SignedRequest request{
      "POST", target, {}, [](std::string_view name) -> std::optional<std::string> {
        return name == "host" ? std::optional(std::string(short_term_host)) : std::nullopt;
      }};
  Result<Caller> caller = by_signature(ring, request, "bedrock");
  if (caller) return caller;
  const Error& error = caller.error();
  const bool late =
      error.code == ErrorCode::expired_token || error.message.starts_with("Signature expired");
  return late ? key_expired() : no_such_key();
}

Result<Caller> Gate::by_api_key(const Ring& ring, std::string_view key) {
  if (key.starts_with(short_term_prefix)) return by_short_term_key(ring, key);
  if (!key.starts_with(long_term_prefix)) {
    return Error{ErrorCode::not_authorized,
                 "Invalid API Key format: Must start with pre-defined prefix"};
  }
  const auto identity = ring.find(ring.by_hash, hex_of(bytes_of(sha256(key))));
  if (!identity) return no_such_key();
  if (identity->expired(options_.now())) return key_expired();
  return caller(identity);
}

Result<Caller> Gate::admit(const http::Request& request) {
  const std::shared_ptr<const Ring> now = ring();
  const std::string_view key = api_key_of(request.headers);
  if (!key.empty()) return by_api_key(*now, key);
  const sigv4::SignedRequest asked{
      request.method, request.target, request.body,
      [&](std::string_view name) { return values_of(request.headers, name); }};
  return by_signature(*now, asked, {});
}

}  // namespace craton::auth
