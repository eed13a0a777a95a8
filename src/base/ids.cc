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

constexpr std::string_view alphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

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
  std::string text(prefix);
  text += "01";
  std::uniform_int_distribution<std::size_t> pick(0, base58.size() - 1);
  for (int i = 0; i < 22; ++i) text += base58[pick(generator())];
  return text;
}

std::string random_alphanumeric(std::size_t length) {
  std::string text(length, ' ');
  std::uniform_int_distribution<std::size_t> pick(0, alphanumeric.size() - 1);
  for (char& c : text) c = alphanumeric[pick(generator())];
  return text;
}

}  // namespace craton
