#include "base/ids.h"

#include <array>
#include <cstdint>
#include <random>

namespace craton {
namespace {

std::mt19937_64& generator() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return engine;
}

constexpr std::string_view base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view base64_url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::string_view alphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `prefix` and `length` characters of `alphabet`.
std::string with_random_end(std::string prefix, std::size_t length, std::string_view alphabet) {
  std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
  for (std::size_t i = 0; i < length; ++i) prefix += alphabet[pick(generator())];
  return prefix;
}

}  // namespace

std::string random_uuid() {
  const std::uint64_t words[2] = {
      (generator()() & 0xffffffffffff0fffULL) | 0x0000000000004000ULL,  // version 4
      (generator()() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL,  // RFC 4122 variant
  };
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text += '-';
    text += digits[(words[nibble / 16] >> (60 - 4 * (nibble % 16))) & 0xf];
  }
  return text;
}

std::string random_anthropic_id(std::string_view prefix) {
  return with_random_end(std::string(prefix) + "01", 22, base58);
}

std::string random_alphanumeric(std::size_t length) {
  return with_random_end({}, length, alphanumeric);
}

std::string random_tool_use_id() { return with_random_end("tooluse_", 22, base64_url); }

std::uint64_t random_number() { return generator()(); }

}  // namespace craton
