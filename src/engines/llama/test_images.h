// Images for tests, written by hand. For tests only.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace craton::engines::llama {

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string png_chunk(const std::string& type, std::string_view data) {
  const std::string content = type + std::string(data);
  const auto check =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + content +
         big_endian(static_cast<std::uint32_t>(check));
}

inline std::string deflated(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 1);
  packed.resize(size);
  return packed;
}

enum class PngColor : char { gray = 0, rgb = 2, rgba = 6 };

/// `rows`: what is compressed, each row with its filter's byte in front.
inline std::string png_of(std::uint32_t width, std::uint32_t height, PngColor color,
                          std::string_view rows, char bits = 8) {
  using namespace std::string_literals;
  const std::string header =
      big_endian(width) + big_endian(height) + bits + static_cast<char>(color) + "\0\0\0"s;
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + png_chunk("IDAT", deflated(rows)) +
         png_chunk("IEND", "");
}

/// An image whose pixels depend on where they are and on `seed`.
inline std::string test_png(std::uint32_t width, std::uint32_t height, unsigned seed = 0) {
  std::string rows;
  for (std::uint32_t y = 0; y < height; ++y) {
    rows += '\0';
    for (std::uint32_t x = 0; x < width; ++x) {
      for (unsigned c = 0; c < 3; ++c)
        rows += static_cast<char>(x * 7 + y * 13 + c * 50 + seed * 91 + (x * y * (seed + 1)) / 9);
    }
  }
  return png_of(width, height, PngColor::rgb, rows);
}

}  // namespace craton::engines::llama
