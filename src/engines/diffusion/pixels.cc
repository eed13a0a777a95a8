#include "engines/diffusion/pixels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace craton::engines::diffusion {
namespace {

constexpr int frame_multiple = 64;  // of a U-Net that halves a VAE's eighths three times

int rounded_up(int side) { return (side + frame_multiple - 1) / frame_multiple * frame_multiple; }

/// Which pixels of a row a new one is made of: `weights` from `first` on, 1 together.
struct Share {
  int first = 0;
  std::vector<float> weights;
};

/// One Share for each of `to` pixels, of a row of `from`: a tent as wide as the larger of both
/// pixels.
std::vector<Share> shares(int from, int to) {
  const double ratio = static_cast<double>(from) / to;
  const double reach = std::max(1.0, ratio);
  std::vector<Share> all(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    const double middle = (i + 0.5) * ratio - 0.5;
    const int first = std::clamp(static_cast<int>(std::ceil(middle - reach)), 0, from - 1);
    const int last = std::clamp(static_cast<int>(std::floor(middle + reach)), first, from - 1);
    Share& share = all[static_cast<std::size_t>(i)];
    share.first = first;
    double sum = 0;
    for (int at = first; at <= last; ++at) {
      const double weight = std::max(1e-6, 1 - std::abs(at - middle) / reach);
      share.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : share.weights) weight = static_cast<float>(weight / sum);
  }
  return all;
}

std::uint8_t byte_of(float value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

/// Rows of `channels` bytes a pixel in another size: along the rows, then along the columns.
std::vector<std::uint8_t> resampled(const std::vector<std::uint8_t>& pixels, Size from, Size to,
                                    std::size_t channels) {
  const std::vector<Share> across = shares(from.width, to.width);
  const std::vector<Share> down = shares(from.height, to.height);
  const std::size_t row = static_cast<std::size_t>(to.width) * channels;
  const std::size_t old_row = static_cast<std::size_t>(from.width) * channels;
  std::vector<float> half(row * static_cast<std::size_t>(from.height));
  for (std::size_t y = 0; y < static_cast<std::size_t>(from.height); ++y) {
    for (std::size_t x = 0; x < across.size(); ++x) {
      const std::uint8_t* in =
          &pixels[y * old_row + static_cast<std::size_t>(across[x].first) * channels];
      float* out = &half[y * row + x * channels];
      for (const float weight : across[x].weights) {
        for (std::size_t c = 0; c < channels; ++c) out[c] += weight * in[c];
        in += channels;
      }
    }
  }
  std::vector<std::uint8_t> made(row * static_cast<std::size_t>(to.height));
  std::vector<float> sum(row);
  for (std::size_t y = 0; y < down.size(); ++y) {
    std::ranges::fill(sum, 0.0F);
    const float* in = &half[static_cast<std::size_t>(down[y].first) * row];
    for (const float weight : down[y].weights) {
      for (std::size_t x = 0; x < row; ++x) sum[x] += weight * in[x];
      in += row;
    }
    std::ranges::transform(sum, made.begin() + static_cast<std::ptrdiff_t>(y * row), byte_of);
  }
  return made;
}

/// Calls `put(x, y)` for each pixel of the frame, in order, with the pixel of the picture that
/// stands there or is nearest.
void each_of_frame(Size picture, Size frame, auto put) {
  const int left = (frame.width - picture.width) / 2;
  const int top = (frame.height - picture.height) / 2;
  for (int y = 0; y < frame.height; ++y) {
    const int from_y = std::clamp(y - top, 0, picture.height - 1);
    for (int x = 0; x < frame.width; ++x) put(std::clamp(x - left, 0, picture.width - 1), from_y);
  }
}

std::size_t index_of(int x, int y, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(x);
}

/// Between two bytes: `share` of 255 of the second.
std::uint8_t mixed(std::uint8_t first, std::uint8_t second, unsigned share) {
  return static_cast<std::uint8_t>((first * (255 - share) + second * share + 127) / 255);
}

}  // namespace

Size frame_of(Size size) { return {rounded_up(size.width), rounded_up(size.height)}; }

Picture scaled(const Picture& picture, Size size) {
  if (size == Size{picture.width, picture.height}) return picture;
  return {size.width, size.height,
          resampled(picture.rgba, {picture.width, picture.height}, size, 4)};
}

Mask scaled(const Mask& mask, Size size) {
  if (size == Size{mask.width, mask.height}) return mask;
  return {size.width, size.height, resampled(mask.change, {mask.width, mask.height}, size, 1)};
}

std::string framed(const Picture& picture, Size frame) {
  std::string rgb;
  rgb.reserve(index_of(0, frame.height, frame.width) * 3);
  each_of_frame({picture.width, picture.height}, frame, [&](int x, int y) {
    const std::uint8_t* pixel = &picture.rgba[index_of(x, y, picture.width) * 4];
    for (int c = 0; c < 3; ++c) rgb += static_cast<char>(mixed(255, pixel[c], pixel[3]));
  });
  return rgb;
}

std::string framed(const Mask& mask, Size frame) {
  std::string bytes;
  bytes.reserve(index_of(0, frame.height, frame.width));
  each_of_frame({mask.width, mask.height}, frame, [&](int x, int y) {
    bytes += static_cast<char>(mask.change[index_of(x, y, mask.width)]);
  });
  return bytes;
}

Picture cut_out(const std::string& rgb, Size frame, Size size) {
  const int left = (frame.width - size.width) / 2;
  const int top = (frame.height - size.height) / 2;
  Picture picture{size.width, size.height, {}};
  picture.rgba.reserve(index_of(0, size.height, size.width) * 4);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const std::size_t at = index_of(left + x, top + y, frame.width) * 3;
      for (std::size_t c = 0; c < 3; ++c) {
        picture.rgba.push_back(static_cast<std::uint8_t>(rgb[at + c]));
      }
      picture.rgba.push_back(255);
    }
  }
  return picture;
}

Picture composed(const Picture& source, const Picture& drawn, const Mask& mask) {
  Picture picture = source;
  for (std::size_t i = 0; i < mask.change.size(); ++i) {
    for (std::size_t c = 4 * i; c < 4 * i + 4; ++c) {
      picture.rgba[c] = mixed(source.rgba[c], drawn.rgba[c], mask.change[i]);
    }
  }
  return picture;
}

}  // namespace craton::engines::diffusion
