#include "auth/new_key.h"

#include <openssl/rand.h>

#include <stdexcept>

#include "base/base64.h"
#include "base/sha256.h"

namespace craton::auth {
namespace {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw std::runtime_error("the system has no random numbers");
  }
  return bytes;
}

std::string random_base64(std::size_t bytes) {
  std::string text;
  append_base64(random_bytes(bytes), text);
  return text;
}

/// Of `letters`, whose number divides 256.
std::string random_letters(std::size_t count, std::string_view letters) {
  std::string text;
  for (const char byte : random_bytes(count)) {
    text += letters[static_cast<unsigned char>(byte) % letters.size()];
  }
  return text;
}

NewKey key_of(std::string name, std::string_view prefix) {
  constexpr std::string_view base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  NewKey key;
  key.access_key_id = std::string(prefix) + random_letters(16, base32);
  key.secret = random_base64(30);
  key.identity.name = std::move(name);
  key.identity.key_id = key.access_key_id;
  key.identity.secret = key.secret;
  return key;
}

}  // namespace

NewKey new_access_key(std::string name) { return key_of(std::move(name), "AKIA"); }

NewKey new_temporary_key(std::string name) {
  NewKey key = key_of(std::move(name), "ASIA");
  key.session_token = random_base64(192);
  key.identity.token_hash = hex_of(bytes_of(sha256(key.session_token)));
  return key;
}

NewKey new_bearer_key(std::string name, std::string_view account) {
  NewKey key;
  key.identity.name = std::move(name);
  key.identity.key_id = "BedrockAPIKey-" + random_letters(4, "abcdefghijklmnopqrstuvwxyz234567");
  key.bearer = "ABSK";
  append_base64(key.identity.key_id + "-at-" + std::string(account) + ":" + random_base64(36),
                key.bearer);
  key.identity.key_hash = hex_of(bytes_of(sha256(key.bearer)));
  return key;
}

}  // namespace craton::auth
