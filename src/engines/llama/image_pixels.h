// The pixels of an image that anybody sent: PNG, JPEG, GIF and WebP, of moving ones the first
// picture. What is transparent is shown on white.
//
// A small file can be made to cost a lot: its header is read first and what it says is bounded,
// what decoding may allocate is bounded by that, and so is how often a JPEG may paint its picture
// over. Over stb_image and libwebp.
//
// No I/O; any function may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::engines::llama {

struct PixelLimits {
  std::uint64_t pixels_max = 8000ULL * 8000;  ///< Bedrock's limit on each side.
  /// The long side over the short one. What models make of longer ones is nothing to look at, and
  /// Qwen's refuse them at this ratio.
  std::uint32_t aspect_max = 200;
};

struct Pixels {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<unsigned char> rgb;  ///< width × height × 3, rows from the top.
};

/// Fails with `validation` when `bytes` are no image, are damaged, or exceed `limits`.
Result<Pixels> decode_pixels(std::string_view bytes, const PixelLimits& limits = {});

/// The first part of that: what the header says, held against `limits`. Without pixels.
Result<Pixels> measure_pixels(std::string_view bytes, const PixelLimits& limits = {});

}  // namespace craton::engines::llama
