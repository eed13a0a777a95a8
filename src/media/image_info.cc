#include "media/image_info.h"

#include <algorithm>
#include <array>
#include <string>

namespace craton::media {
namespace {

using namespace std::string_view_literals;

/// Reads numbers at offsets; past the end everything is 0, and ok() tells.
class Header {
 public:
  explicit Header(std::string_view bytes) : bytes_(bytes) {}

  std::uint32_t big_endian(std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | byte(at + i);
    return value;
  }
  std::uint32_t little_endian(std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | byte(at + i);
    return value;
  }
  std::string_view text(std::size_t at, std::size_t size) {
    ok_ = ok_ && at + size <= bytes_.size();
    return ok_ ? bytes_.substr(at, size) : std::string_view();
  }
  std::uint32_t byte(std::size_t at) {
    ok_ = ok_ && at < bytes_.size();
    return ok_ ? static_cast<unsigned char>(bytes_[at]) : 0;
  }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct Size {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// Source: https://www.w3.org/TR/png-3/#11IHDR
Size png_size(Header& header) {
  if (header.text(12, 4) != "IHDR") return {};
  return {header.big_endian(16, 4), header.big_endian(20, 4)};
}

/// Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt, section 18
Size gif_size(Header& header) { return {header.little_endian(6, 2), header.little_endian(8, 2)}; }

/// Markers that begin a frame: all of C0 to CF but the tables' DHT, JPG and DAC.
bool begins_frame(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Markers without a length behind them.
bool stands_alone(std::uint32_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

/// Source: ITU-T T.81, annex B. Segments are passed over up to the frame.
Size jpeg_size(Header& header) {
  std::size_t at = 2;
  while (header.ok()) {
    if (header.byte(at++) != 0xFF) return {};
    while (header.byte(at) == 0xFF) ++at;  // fill bytes
    const std::uint32_t marker = header.byte(at++);
    if (stands_alone(marker)) continue;
    if (begins_frame(marker)) return {header.big_endian(at + 5, 2), header.big_endian(at + 3, 2)};
    const std::uint32_t length = header.big_endian(at, 2);
    if (length < 2 || marker == 0xD9 || marker == 0xDA) return {};  // no frame before the scan
    at += length;
  }
  return {};
}

/// Source: RFC 9649 (WebP) and RFC 6386, section 9.1 (VP8's frame header).
Size webp_size(Header& header) {
  const std::string_view chunk = header.text(12, 4);
  if (chunk == "VP8X") return {header.little_endian(24, 3) + 1, header.little_endian(27, 3) + 1};
  if (chunk == "VP8L") {
    if (header.byte(20) != 0x2F) return {};
    const std::uint32_t bits = header.little_endian(21, 4);
    return {(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
  }
  if (chunk != "VP8 " || header.text(23, 3) != "\x9D\x01\x2A") return {};
  return {header.little_endian(26, 2) & 0x3FFF, header.little_endian(28, 2) & 0x3FFF};
}

struct Format {
  ImageFormat format;
  std::string_view name;
  std::string_view begins;
  Size (*size)(Header& header);
};

constexpr std::array formats{
    Format{ImageFormat::png, "png", "\x89PNG\r\n\x1A\n"sv, png_size},
    Format{ImageFormat::jpeg, "jpeg", "\xFF\xD8\xFF"sv, jpeg_size},
    Format{ImageFormat::gif, "gif", "GIF8"sv, gif_size},
    Format{ImageFormat::webp, "webp", "RIFF"sv, webp_size},
};

constexpr bool in_enum_order(const decltype(formats)& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].format) != i) return false;
  }
  return rows.size() == static_cast<std::size_t>(ImageFormat::webp) + 1;
}
static_assert(in_enum_order(formats), "one row per ImageFormat, in its order");

const Format& row_of(ImageFormat format) { return formats[static_cast<std::size_t>(format)]; }

bool is_of(std::string_view bytes, const Format& format) {
  if (!bytes.starts_with(format.begins)) return false;
  const std::string_view version = bytes.substr(0, 6);
  if (format.format == ImageFormat::gif) return version == "GIF87a" || version == "GIF89a";
  return format.format != ImageFormat::webp || (bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP");
}

}  // namespace

std::string_view name_of(ImageFormat format) { return row_of(format).name; }

std::optional<ImageFormat> image_format_of(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &Format::name);
  if (found == formats.end()) return std::nullopt;
  return found->format;
}

std::optional<ImageFormat> sniff_image_format(std::string_view bytes) {
  const auto found =
      std::ranges::find_if(formats, [bytes](const Format& format) { return is_of(bytes, format); });
  if (found == formats.end()) return std::nullopt;
  return found->format;
}

Result<ImageInfo> image_info(std::string_view bytes) {
  const auto format = sniff_image_format(bytes);
  if (!format) return Error{ErrorCode::validation, "The image is none of png, jpeg, gif and webp."};
  Header header(bytes);
  const Size size = row_of(*format).size(header);
  if (!header.ok() || size.width == 0 || size.height == 0) {
    return Error{ErrorCode::validation, "The " + std::string(name_of(*format)) +
                                            " image is damaged or ends too early: it has no width "
                                            "and height."};
  }
  return ImageInfo{*format, size.width, size.height};
}

}  // namespace craton::media
