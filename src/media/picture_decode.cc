#include "media/picture_decode.h"

#include <spng.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <algorithm>
#include <memory>

#include "media/image_info.h"

namespace craton::media {
namespace {

Error unusable() { return {ErrorCode::validation, "Could not process image"}; }

std::size_t area_of(const ImageInfo& info) { return std::size_t{info.width} * info.height; }

Picture empty_picture(const ImageInfo& info) {
  return {static_cast<int>(info.width), static_cast<int>(info.height),
          std::vector<std::uint8_t>(area_of(info) * 4)};
}

// What of a PNG stands beside its pixels: profiles, texts, previews.
constexpr std::size_t png_chunk_bytes_max = 16u << 20;

/// The last chunk, whole; libspng does without.
constexpr std::string_view png_end("IEND\xAE\x42\x60\x82");

struct FreePng {
  void operator()(spng_ctx* png) const { spng_ctx_free(png); }
};

Result<Picture> decode_png(std::string_view bytes, const ImageInfo& info) {
  const std::unique_ptr<spng_ctx, FreePng> png(spng_ctx_new(0));
  if (!png || bytes.rfind(png_end) == bytes.npos) return unusable();
  Picture picture = empty_picture(info);
  const bool decoded =
      spng_set_image_limits(png.get(), info.width, info.height) == 0 &&
      spng_set_chunk_limits(png.get(), png_chunk_bytes_max, png_chunk_bytes_max) == 0 &&
      spng_set_png_buffer(png.get(), bytes.data(), bytes.size()) == 0 &&
      spng_decode_image(png.get(), picture.rgba.data(), picture.rgba.size(), SPNG_FMT_RGBA8,
                        SPNG_DECODE_TRNS) == 0 &&
      spng_decode_chunks(png.get()) == 0;  // up to its end
  if (!decoded) return unusable();
  return picture;
}

// A JPEG may paint its picture in any number of passes of a few bytes each. Programs write ten or
// so.
constexpr std::size_t jpeg_scans_max = 64;

bool scans_within_bounds(std::string_view jpeg) {
  std::size_t scans = 0;
  for (std::size_t at = 0; (at = jpeg.find("\xFF\xDA", at)) != jpeg.npos; at += 2) ++scans;
  return scans > 0 && scans <= jpeg_scans_max;
}

/// Behind the last scan comes the marker of the end; libjpeg does without, and shows what is left.
bool has_end(std::string_view jpeg) {
  const std::size_t end = jpeg.rfind("\xFF\xD9");
  return end != jpeg.npos && end > jpeg.rfind("\xFF\xDA");
}

/// Adobe's, which are all there are: ink is stored as what it leaves of the light.
void cmyk_to_rgba(Picture& picture) {
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) {
    std::uint8_t* pixel = &picture.rgba[i];
    const unsigned black = pixel[3];
    for (int c = 0; c < 3; ++c)
      pixel[c] = static_cast<std::uint8_t>((pixel[c] * black + 127) / 255);
    pixel[3] = 255;
  }
}

struct FreeJpeg {
  void operator()(void* jpeg) const { tjDestroy(jpeg); }
};

/// libjpeg warns of what other decoders pass over (bytes between segments), and of what is missing.
bool is_whole(void* jpeg) {
  const std::string_view said = tjGetErrorStr2(jpeg);
  return tjGetErrorCode(jpeg) == TJERR_WARNING && said.find("remature end") == said.npos;
}

Result<Picture> decode_jpeg(std::string_view bytes, const ImageInfo& info) {
  if (!scans_within_bounds(bytes) || !has_end(bytes)) return unusable();
  const std::unique_ptr<void, FreeJpeg> jpeg(tjInitDecompress());
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0;
  int height = 0;
  int sampling = 0;
  int colors = 0;
  if (!jpeg || tjDecompressHeader3(jpeg.get(), data, bytes.size(), &width, &height, &sampling,
                                   &colors) != 0) {
    return unusable();
  }
  Picture picture = empty_picture(info);
  if (width != picture.width || height != picture.height) return unusable();
  const bool cmyk = colors == TJCS_CMYK || colors == TJCS_YCCK;
  const int failed = tjDecompress2(jpeg.get(), data, bytes.size(), picture.rgba.data(), width, 0,
                                   height, cmyk ? TJPF_CMYK : TJPF_RGBA, TJFLAG_LIMITSCANS);
  if (failed != 0 && !is_whole(jpeg.get())) return unusable();
  if (cmyk) cmyk_to_rgba(picture);
  return picture;
}

Result<Picture> decode_webp(std::string_view bytes, const ImageInfo& info) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK || features.has_animation) {
    return unusable();
  }
  Picture picture = empty_picture(info);
  if (features.width != picture.width || features.height != picture.height ||
      !WebPDecodeRGBAInto(data, bytes.size(), picture.rgba.data(), picture.rgba.size(),
                          picture.width * 4)) {
    return unusable();
  }
  return picture;
}

}  // namespace

Result<Picture> decode_picture(std::string_view bytes, std::uint64_t pixels_max) {
  const Result<ImageInfo> info = image_info(bytes);
  if (!info) return unusable();
  if (std::uint64_t{info->width} * info->height > pixels_max) {
    return Error{ErrorCode::validation, "Could not process image: it has more than " +
                                            std::to_string(pixels_max) + " pixels"};
  }
  switch (info->format) {
    case ImageFormat::png: return decode_png(bytes, *info);
    case ImageFormat::jpeg: return decode_jpeg(bytes, *info);
    case ImageFormat::webp: return decode_webp(bytes, *info);
    case ImageFormat::gif: break;
  }
  return unusable();
}

}  // namespace craton::media
