#include "families/image_members.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <optional>

#include "base/base64.h"
#include "base/ids.h"
#include "families/schema.h"
#include "media/picture_decode.h"

namespace craton::families {
namespace {

std::string size_text(const Picture& picture) {
  return std::to_string(picture.width) + "x" + std::to_string(picture.height);
}

/// "PNG, JPEG or WEBP"
std::string names_of(std::span<const media::ImageFormat> formats) {
  std::string names;
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (i > 0) names += i + 1 < formats.size() ? ", " : " or ";
    for (const char letter : media::name_of(formats[i])) {
      names += static_cast<char>(letter - 'a' + 'A');
    }
  }
  return names;
}

Result<void> check_size(const media::ImageInfo& info, const PictureRules& rules,
                        std::string_view place) {
  const auto [shorter, longer] = std::minmax(info.width, info.height);
  if (longer > rules.side_max || std::uint64_t{shorter} * longer > rules.pixels_max) {
    return rules.refuse(place, rules.too_many_pixels);
  }
  if (shorter >= rules.side_min) return {};
  return rules.refuse(place, "each side of the image must have at least " +
                                 std::to_string(rules.side_min) + " pixels");
}

/// Source: ITU-R BT.601, in eight bits.
unsigned luma(const std::uint8_t* pixel) {
  return (77u * pixel[0] + 150u * pixel[1] + 29u * pixel[2] + 128) >> 8;
}

std::uint8_t change_of(const std::uint8_t* pixel, MaskOf what) {
  switch (what) {
    case MaskOf::black: return luma(pixel) < 128 ? 255 : 0;
    case MaskOf::white: return luma(pixel) < 128 ? 0 : 255;
    case MaskOf::darkness: return static_cast<std::uint8_t>(255 - luma(pixel));
    case MaskOf::lightness: return static_cast<std::uint8_t>(luma(pixel));
    case MaskOf::clearness: break;
  }
  return static_cast<std::uint8_t>(255 - pixel[3]);
}

}  // namespace

Error refuse_as_violation(std::string_view place, std::string_view what) {
  return violation(std::string(place) + ": " + std::string(what));
}

Result<Picture> read_picture(std::string_view encoded, const PictureRules& rules,
                             std::string_view place) {
  const std::optional<std::string> bytes = base64_bytes(encoded);
  if (!bytes || bytes->empty()) return rules.refuse(place, "the image is not valid base64");
  const Result<media::ImageInfo> info = media::image_info(*bytes);
  if (!info || std::ranges::find(rules.formats, info->format) == rules.formats.end()) {
    return rules.refuse(place, "the image is not a " + names_of(rules.formats) + " image");
  }
  CRATON_TRY(check_size(*info, rules, place));
  Result<Picture> picture = media::decode_picture(*bytes, rules.pixels_max);
  if (!picture) return rules.refuse(place, "the image is damaged or ends too early");
  return picture;
}

Mask mask_of(const Picture& picture, MaskOf what) {
  Mask mask{picture.width, picture.height, {}};
  mask.change.resize(picture.rgba.size() / 4);
  for (std::size_t i = 0; i < mask.change.size(); ++i) {
    mask.change[i] = change_of(&picture.rgba[i * 4], what);
  }
  return mask;
}

Picture picture_of(const Mask& mask, MaskOf what) {
  const unsigned flip = what == MaskOf::black ? 255 : 0;
  Picture picture{mask.width, mask.height, {}};
  picture.rgba.resize(mask.change.size() * 4);
  for (std::size_t i = 0; i < mask.change.size(); ++i) {
    const auto shade = static_cast<std::uint8_t>(mask.change[i] ^ flip);
    std::uint8_t* pixel = &picture.rgba[i * 4];
    std::fill_n(pixel, 3, shade);
    pixel[3] = 255;
  }
  return picture;
}

Result<void> check_mask_size(const Picture& mask, const Picture& source, const PictureRules& rules,
                             std::string_view place) {
  if (mask.width == source.width && mask.height == source.height) return {};
  return rules.refuse(place, "the mask is " + size_text(mask) + " and the image " +
                                 size_text(source) + "; they must be of the same size");
}

void add_prompt(std::string_view text, double weight, DrawingRequest& request) {
  if (!text.empty()) request.prompts.push_back({std::string(text), weight});
}

void take_size(const Picture& picture, DrawingRequest& request) {
  request.width = picture.width;
  request.height = picture.height;
}

std::uint64_t drawn_seed(std::uint64_t seed, std::uint64_t seed_max) {
  return seed != 0 ? seed : random_number() % seed_max + 1;
}

std::size_t picture_count(const Drawings& made) {
  return made.files.empty() ? made.pictures.size() : made.files.size();
}

std::string picture_file(const DrawingReply& reply, std::size_t index, media::ImageFormat format) {
  if (reply.made.files.empty()) {
    return media::encode_picture(reply.made.pictures[index], format, reply.texts);
  }
  const PictureFile& file = reply.made.files[index];
  if (file.format == format) return file.bytes;
  constexpr std::uint64_t any_size = std::numeric_limits<std::uint64_t>::max();
  const Result<Picture> picture = media::decode_picture(file.bytes, any_size);
  assert(picture && "whoever gives a file knows that it can be decoded");
  return picture ? media::encode_picture(*picture, format, reply.texts) : file.bytes;
}

void append_picture_of(const DrawingReply& reply, std::size_t index, media::ImageFormat format,
                       std::string& out) {
  out += '"';
  append_base64(picture_file(reply, index, format), out);
  out += '"';
}

void append_picture(const Picture& picture, media::ImageFormat format,
                    std::span<const media::FileText> texts, std::string& out) {
  out += '"';
  append_base64(media::encode_picture(picture, format, texts), out);
  out += '"';
}

void append_pictures(const DrawingReply& reply, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < picture_count(reply.made); ++i) {
    if (i > 0) out += ',';
    append_picture_of(reply, i, reply.form.format, out);
  }
  out += ']';
}

}  // namespace craton::families
