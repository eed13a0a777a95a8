#include "engines/llama/image_pixels.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "media/image_info.h"

namespace craton::engines::llama {
namespace {

/// What stb_image allocates while it decodes one image: bounded, and freed at the end whatever
/// happened on the way.
class Arena {
 public:
  explicit Arena(std::size_t bytes_max) : left_(bytes_max) { current = this; }
  ~Arena() {
    while (first_.next) release(first_.next + 1);
    current = nullptr;
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Null past the bound, as malloc() gives it.
  void* allocate(std::size_t size) {
    if (size > left_) return nullptr;
    // Zeros: stb_image shows what a broken image never painted.
    void* memory = std::calloc(1, size + sizeof(Block));
    if (!memory) return nullptr;
    left_ -= size;
    auto* block = ::new (memory) Block{.previous = &first_, .next = first_.next, .size = size};
    if (block->next) block->next->previous = block;
    first_.next = block;
    return block + 1;
  }

  void* reallocate(void* old, std::size_t size) {
    void* memory = allocate(size);
    if (!old || !memory) return memory;
    const std::size_t kept = std::min(size, (static_cast<Block*>(old) - 1)->size);
    std::copy_n(static_cast<const char*>(old), kept, static_cast<char*>(memory));
    release(old);
    return memory;
  }

  void release(void* memory) {
    if (!memory) return;
    Block* block = static_cast<Block*>(memory) - 1;
    block->previous->next = block->next;
    if (block->next) block->next->previous = block->previous;
    left_ += block->size;
    std::free(block);
  }

  /// The one that lives on this thread: stb_image allocates through functions without context.
  static thread_local Arena* current;

 private:
  struct alignas(16) Block {
    Block* previous = nullptr;
    Block* next = nullptr;
    std::size_t size = 0;
  };

  Block first_;
  std::size_t left_;
};

thread_local Arena* Arena::current = nullptr;

/// stb_image found itself in a state that it thought impossible.
struct Impossible {};

[[noreturn]] void impossible() { throw Impossible(); }

}  // namespace
}  // namespace craton::engines::llama

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_FAILURE_STRINGS
#define STBI_MALLOC(size) craton::engines::llama::Arena::current->allocate(size)
#define STBI_REALLOC(old, size) craton::engines::llama::Arena::current->reallocate(old, size)
#define STBI_FREE(old) craton::engines::llama::Arena::current->release(old)
#define STBI_ASSERT(promise) ((promise) ? void(0) : craton::engines::llama::impossible())
#ifdef __clang__  // Its habits (memcpy() of nothing to nowhere) are not under test here.
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)
#endif
#include <stb/stb_image.h>
#ifdef __clang__
#pragma clang attribute pop
#endif

namespace craton::engines::llama {
namespace {

using media::ImageFormat;

Error unusable() { return {ErrorCode::validation, "Could not process image"}; }

// A JPEG may paint its picture in any number of passes of a few bytes each. Programs write ten or
// so.
constexpr std::size_t jpeg_scans_max = 64;

bool scans_within_bounds(std::string_view jpeg) {
  std::size_t scans = 0;
  for (std::size_t at = 0; (at = jpeg.find("\xFF\xDA", at)) != jpeg.npos; at += 2) ++scans;
  return scans > 0 && scans <= jpeg_scans_max;
}

/// `rgba` on white.
Pixels on_white(Pixels image, const unsigned char* rgba) {
  const std::size_t count = std::size_t{image.width} * image.height;
  image.rgb.resize(count * 3);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned mixed = rgba[4 * i + c] * alpha + 255 * (255 - alpha);
      image.rgb[3 * i + c] = static_cast<unsigned char>((mixed + 127) / 255);
    }
  }
  return image;
}

Pixels opaque(Pixels image, const unsigned char* rgb) {
  image.rgb.assign(rgb, rgb + std::size_t{image.width} * image.height * 3);
  return image;
}

/// Enough for what decoders keep of an image at once, 8 bits a channel; those with 16 get by with
/// fewer pixels.
std::size_t memory_for(const Pixels& image) {
  constexpr std::size_t beside_pixels = 32u << 20;
  constexpr std::size_t at_most = 800u << 20;
  return std::min(beside_pixels + std::size_t{image.width} * image.height * 20, at_most);
}

Result<Pixels> decode_by_stb(std::string_view bytes, Pixels image) {
  Arena arena(memory_for(image));
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  int width = 0;
  int height = 0;
  int channels = 0;
  try {
    if (!stbi_info_from_memory(data, size, &width, &height, &channels)) return unusable();
    const bool transparent = channels == 2 || channels == 4;
    const unsigned char* pixels =
        stbi_load_from_memory(data, size, &width, &height, &channels, transparent ? 4 : 3);
    // stb_image and media::image_info() must have read the same header.
    if (!pixels || static_cast<std::uint32_t>(width) != image.width ||
        static_cast<std::uint32_t>(height) != image.height) {
      return unusable();
    }
    return transparent ? on_white(std::move(image), pixels) : opaque(std::move(image), pixels);
  } catch (const Impossible&) {
    return unusable();
  }
}

struct DeleteAnimation {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};
using Animation = std::unique_ptr<WebPAnimDecoder, DeleteAnimation>;

/// libwebp's decoder of animations also takes images that do not move.
Result<Pixels> decode_by_libwebp(std::string_view bytes, Pixels image) {
  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options)) return unusable();
  options.color_mode = MODE_RGBA;
  const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  const Animation animation(WebPAnimDecoderNew(&data, &options));
  WebPAnimInfo info;
  std::uint8_t* rgba = nullptr;
  int timestamp = 0;
  if (!animation || !WebPAnimDecoderGetInfo(animation.get(), &info) ||
      info.canvas_width != image.width || info.canvas_height != image.height ||
      !WebPAnimDecoderGetNext(animation.get(), &rgba, &timestamp)) {
    return unusable();
  }
  return on_white(std::move(image), rgba);
}

}  // namespace

Result<Pixels> measure_pixels(std::string_view bytes, const PixelLimits& limits) {
  const Result<media::ImageInfo> info = media::image_info(bytes);
  if (!info) return unusable();
  const auto [shorter, longer] = std::minmax(info->width, info->height);
  if (std::uint64_t{shorter} * longer > limits.pixels_max) {
    return Error{ErrorCode::validation, "Could not process image: it has more than " +
                                            std::to_string(limits.pixels_max) + " pixels"};
  }
  if (longer / limits.aspect_max >= shorter && longer > shorter * limits.aspect_max) {
    return Error{ErrorCode::validation, "Could not process image: one side is more than " +
                                            std::to_string(limits.aspect_max) +
                                            " times as long as the other"};
  }
  return Pixels{.width = info->width, .height = info->height, .rgb = {}};
}

Result<Pixels> decode_pixels(std::string_view bytes, const PixelLimits& limits) {
  CRATON_TRY_ASSIGN(Pixels image, measure_pixels(bytes, limits));
  const auto format = media::sniff_image_format(bytes);
  if (format == ImageFormat::webp) return decode_by_libwebp(bytes, std::move(image));
  if (format == ImageFormat::jpeg && !scans_within_bounds(bytes)) return unusable();
  return decode_by_stb(bytes, std::move(image));
}

}  // namespace craton::engines::llama
