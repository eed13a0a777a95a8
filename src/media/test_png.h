// PNG files for tests, written by hand. For tests only.
#pragma once

#include <libdeflate.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace craton::media {

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string png_chunk(const std::string& type, std::string_view data) {
  const std::string content = type + std::string(data);
  return big_endian(static_cast<std::uint32_t>(data.size())) + content +
         big_endian(libdeflate_crc32(0, content.data(), content.size()));
}

inline std::string deflated(std::string_view bytes) {
  libdeflate_compressor* made = libdeflate_alloc_compressor(1);
  std::string packed(libdeflate_zlib_compress_bound(made, bytes.size()), '\0');
  packed.resize(
      libdeflate_zlib_compress(made, bytes.data(), bytes.size(), packed.data(), packed.size()));
  libdeflate_free_compressor(made);
  return packed;
}

/// What a PNG's header says beside its size.
struct PngKind {
  char bits = 8;
  char color = 2;  ///< 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA
  char interlaced = 0;
};

/// `rows`: what is compressed, each row with its filter's byte in front. `before`: chunks in front
/// of them.
inline std::string png_of(std::uint32_t width, std::uint32_t height, PngKind kind,
                          std::string_view rows, const std::string& before = {}) {
  using namespace std::string_literals;
  const std::string header =
      big_endian(width) + big_endian(height) + kind.bits + kind.color + "\0\0"s + kind.interlaced;
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + before +
         png_chunk("IDAT", deflated(rows)) + png_chunk("IEND", "");
}

}  // namespace craton::media
