// UTF-8 that may be broken or cut anywhere, made whole.
//
// A model's tokens are bytes: a character can be spread over several of them, and nothing keeps a
// model from producing bytes that are no character at all. Each maximal part that begins no
// character becomes one U+FFFD, as browsers do it.
// Source: https://encoding.spec.whatwg.org/#utf-8-decoder
//
// No I/O, no globals.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace craton {

/// Mends bytes that arrive in pieces: any cut of the same bytes gives the same text.
class Utf8Mender {
 public:
  /// Appends the characters of `bytes` that are complete to `out`; keeps an incomplete last one.
  void add(std::string_view bytes, std::string& out);

  /// The bytes end here: what is incomplete becomes U+FFFD.
  void finish(std::string& out);

 private:
  void begin(unsigned char byte, std::string& out);

  std::array<char, 4> kept_{};    ///< The incomplete character,
  std::size_t kept_size_ = 0;     ///< so far,
  std::size_t missing_ = 0;       ///< and how many bytes it still needs.
  unsigned char lowest_ = 0x80;   ///< What its next byte may be: excludes overlong forms,
  unsigned char highest_ = 0xBF;  ///< surrogates and what is past U+10FFFF.
};

/// All of `bytes`, mended.
std::string mended_utf8(std::string_view bytes);

/// True when a character may begin at `byte`: it is no continuation of another.
constexpr bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

/// How many characters `text`, UTF-8, has.
std::size_t code_points(std::string_view text);

/// The whole characters of `text`, UTF-8, that begin it and take `bytes_max` bytes at most.
std::string_view first_characters(std::string_view text, std::size_t bytes_max);

}  // namespace craton
