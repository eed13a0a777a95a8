#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace craton {
namespace {

std::size_t padding(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with("=") ? 1 : 0;
}

bool is_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

}  // namespace

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  return std::ranges::all_of(text.substr(0, text.size() - padding(text)), is_digit);
}

std::size_t base64_decoded_size(std::string_view text) {
  return text.size() / 4 * 3 - padding(text);
}

void append_base64(std::string_view bytes, std::string& out) {
  // OpenSSL counts in int. A piece of a multiple of three bytes ends without padding.
  constexpr std::size_t piece_max = std::size_t{3} << 28;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_max);
    const std::size_t at = out.size();
    out.resize(at + (piece.size() + 2) / 3 * 4);
    // It writes a NUL behind the text, which falls on the string's own.
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()) + at,
                    reinterpret_cast<const unsigned char*>(piece.data()),
                    static_cast<int>(piece.size()));
    bytes.remove_prefix(piece.size());
  }
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (!is_base64(text)) return std::nullopt;
  const std::size_t size = base64_decoded_size(text);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  // OpenSSL counts in int, writes three bytes for every four digits, and takes padding for zeros.
  constexpr std::size_t piece_max = std::size_t{4} << 28;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_max);
    const std::size_t at = bytes.size();
    bytes.resize(at + piece.size() / 4 * 3);
    const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()) + at,
                                        reinterpret_cast<const unsigned char*>(piece.data()),
                                        static_cast<int>(piece.size()));
    if (written < 0) return std::nullopt;
    text.remove_prefix(piece.size());
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace craton
