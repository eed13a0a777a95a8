#include "media/picture_encode.h"

#include <libdeflate.h>
#include <turbojpeg.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <cassert>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace craton::media {
namespace {

using namespace std::string_view_literals;

bool is_opaque(const Picture& picture) {
  unsigned all = 255;
  for (std::size_t i = 3; i < picture.rgba.size(); i += 4) all &= picture.rgba[i];
  return all == 255;
}

void append_big_endian(std::uint32_t number, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

/// Source: https://www.w3.org/TR/png-3/#5Chunk-layout
void append_chunk(std::string_view type, std::string_view data, std::string& out) {
  append_big_endian(static_cast<std::uint32_t>(data.size()), out);
  const std::size_t at = out.size();
  out += type;
  out += data;
  append_big_endian(libdeflate_crc32(0, out.data() + at, out.size() - at), out);
}

// PNG's filter "Up": a pixel less the one above it. What programs draw, and gradients, become runs
// of equal bytes by it, and it costs next to nothing: no other is tried.
constexpr char filter_up = 2;

/// Rows with their filter's number in front, as PNG compresses them.
std::vector<std::uint8_t> filtered_rows(const Picture& picture, std::size_t channels) {
  const auto width = static_cast<std::size_t>(picture.width);
  const std::size_t stride = width * channels;
  std::vector<std::uint8_t> above(stride);
  std::vector<std::uint8_t> row(stride);
  std::vector<std::uint8_t> out((stride + 1) * static_cast<std::size_t>(picture.height));
  std::uint8_t* to = out.data();
  for (int y = 0; y < picture.height; ++y) {
    const std::uint8_t* from = &picture.rgba[static_cast<std::size_t>(y) * width * 4];
    if (channels == 4) {
      std::memcpy(row.data(), from, stride);
    } else {
      for (std::size_t x = 0; x < width; ++x) std::memcpy(&row[x * 3], from + x * 4, 3);
    }
    *to++ = filter_up;
    for (std::size_t i = 0; i < stride; ++i) to[i] = static_cast<std::uint8_t>(row[i] - above[i]);
    to += stride;
    std::swap(row, above);
  }
  return out;
}

struct FreeCompressor {
  void operator()(libdeflate_compressor* made) const { libdeflate_free_compressor(made); }
};

std::string compressed(const std::vector<std::uint8_t>& bytes) {
  constexpr int level = 1;  // the quickest
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> made(
      libdeflate_alloc_compressor(level));
  if (!made) throw std::bad_alloc();
  std::string out(libdeflate_zlib_compress_bound(made.get(), bytes.size()), '\0');
  out.resize(
      libdeflate_zlib_compress(made.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

std::string encode_png(const Picture& picture, std::span<const FileText> texts) {
  const bool opaque = is_opaque(picture);
  std::string out("\x89PNG\r\n\x1A\n"sv);
  std::string head;
  append_big_endian(static_cast<std::uint32_t>(picture.width), head);
  append_big_endian(static_cast<std::uint32_t>(picture.height), head);
  head += opaque ? "\x08\x02\0\0\0"sv : "\x08\x06\0\0\0"sv;  // 8 bits a channel; RGB or RGBA
  append_chunk("IHDR", head, out);
  for (const FileText& text : texts) {
    append_chunk("tEXt", std::string(text.keyword) + '\0' + std::string(text.text), out);
  }
  append_chunk("IDAT", compressed(filtered_rows(picture, opaque ? 3 : 4)), out);
  append_chunk("IEND", {}, out);
  return out;
}

/// "Software: Craton; Comment: …"
std::string comment_of(std::span<const FileText> texts) {
  std::string comment;
  for (const FileText& text : texts) {
    if (!comment.empty()) comment += "; ";
    comment += std::string(text.keyword) + ": " + std::string(text.text);
  }
  return comment;
}

Picture on_white(Picture picture) {
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) {
    std::uint8_t* pixel = &picture.rgba[i];
    const unsigned alpha = pixel[3];
    for (int c = 0; c < 3; ++c) {
      const unsigned mixed = pixel[c] * alpha + 255 * (255 - alpha);
      pixel[c] = static_cast<std::uint8_t>((mixed + 127) / 255);
    }
    pixel[3] = 255;
  }
  return picture;
}

std::string encode_jpeg(const Picture& picture, std::span<const FileText> texts) {
  if (!is_opaque(picture)) return encode_jpeg(on_white(picture), texts);
  constexpr int quality = 92;
  struct FreeJpeg {
    void operator()(void* jpeg) const { tjDestroy(jpeg); }
    void operator()(unsigned char* made) const { tjFree(made); }
  };
  const std::unique_ptr<void, FreeJpeg> jpeg(tjInitCompress());
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int failed =
      !jpeg || tjCompress2(jpeg.get(), picture.rgba.data(), picture.width, 0, picture.height,
                           TJPF_RGBA, &bytes, &size, TJSAMP_444, quality, 0) != 0;
  const std::unique_ptr<unsigned char, FreeJpeg> owned(bytes);
  if (failed) throw std::bad_alloc();  // nothing else can go wrong with pixels of our own
  std::string out(reinterpret_cast<const char*>(bytes), size);
  if (const std::string comment = comment_of(texts); !comment.empty()) {
    const std::size_t length = comment.size() + 2;
    out.insert(2, "\xFF\xFE" +
                      std::string{static_cast<char>(length >> 8), static_cast<char>(length)} +
                      comment);
  }
  return out;
}

/// WebP has no comments but XMP's.
std::string xmp_of(const std::string& comment) {
  return "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
         "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description "
         "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" dc:description=\"" +
         comment + "\"/></rdf:RDF></x:xmpmeta>";
}

std::string with_xmp(const std::uint8_t* bytes, std::size_t size, const std::string& xmp) {
  struct FreeMux {
    void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
  };
  const WebPData image{bytes, size};
  const WebPData chunk{reinterpret_cast<const std::uint8_t*>(xmp.data()), xmp.size()};
  const std::unique_ptr<WebPMux, FreeMux> mux(WebPMuxCreate(&image, 0));
  WebPData made{};
  if (!mux || WebPMuxSetChunk(mux.get(), "XMP ", &chunk, 0) != WEBP_MUX_OK ||
      WebPMuxAssemble(mux.get(), &made) != WEBP_MUX_OK) {
    throw std::bad_alloc();
  }
  std::string out(reinterpret_cast<const char*>(made.bytes), made.size);
  WebPDataClear(&made);
  return out;
}

std::string encode_webp(const Picture& picture, std::span<const FileText> texts) {
  constexpr float quality = 90;
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeRGBA(picture.rgba.data(), picture.width, picture.height,
                                          picture.width * 4, quality, &bytes);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owned(bytes, WebPFree);
  if (size == 0) throw std::bad_alloc();
  const std::string comment = comment_of(texts);
  if (comment.empty()) return {reinterpret_cast<const char*>(bytes), size};
  return with_xmp(bytes, size, xmp_of(comment));
}

}  // namespace

std::string encode_picture(const Picture& picture, ImageFormat format,
                           std::span<const FileText> texts) {
  assert(format != ImageFormat::gif);
  switch (format) {
    case ImageFormat::jpeg: return encode_jpeg(picture, texts);
    case ImageFormat::webp: return encode_webp(picture, texts);
    case ImageFormat::png:
    case ImageFormat::gif: break;
  }
  return encode_png(picture, texts);
}

}  // namespace craton::media
