// What the families of image models read and write alike: pictures in base64, masks, seeds.
//
// No I/O.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/drawing.h"
#include "families/image_family.h"
#include "media/image_info.h"

namespace craton::families {

/// What pictures a model takes, and how its provider refuses others.
struct PictureRules {
  std::span<const media::ImageFormat> formats;
  std::uint32_t side_min = 1;  ///< Pixels
  std::uint32_t side_max = 0;
  std::uint64_t pixels_max = 0;
  /// Fails with `validation`. `place`: "#/inPaintingParams/image"; `what`: "the image is …".
  Error (*refuse)(std::string_view place, std::string_view what);
  std::string_view too_many_pixels;  ///< `what` of such a refusal.
};

/// `what` in the frame of a violation of the schema: most providers' refusal of a picture.
Error refuse_as_violation(std::string_view place, std::string_view what);

/// The picture that `encoded` is, in base64. Held against the rules before it is decoded.
Result<Picture> read_picture(std::string_view encoded, const PictureRules& rules,
                             std::string_view place);

/// Which pixels of a picture of a mask may change.
enum class MaskOf {
  black,      ///< The darker half: masks of two colours.
  white,      ///< The lighter half.
  darkness,   ///< As far as they are dark,
  lightness,  ///< or light,
  clearness,  ///< or transparent.
};

Mask mask_of(const Picture& picture, MaskOf what);

/// The other way round: black is what may change for MaskOf::black, white for MaskOf::white.
Picture picture_of(const Mask& mask, MaskOf what);

/// Fails where a mask is not of the size of what it masks. `place`: the mask's.
Result<void> check_mask_size(const Picture& mask, const Picture& source, const PictureRules& rules,
                             std::string_view place);

/// Takes `text` in where there is some.
void add_prompt(std::string_view text, double weight, DrawingRequest& request);

/// `request` is to be of the size of `picture`.
void take_size(const Picture& picture, DrawingRequest& request);

/// `seed`, or a random one from 1 to `seed_max` for 0.
std::uint64_t drawn_seed(std::uint64_t seed, std::uint64_t seed_max);

/// How many pictures the reply has.
std::size_t picture_count(const Drawings& made);

/// The reply's picture of that index as a file of that format: the file that it is already, where
/// it is one of that format.
std::string picture_file(const DrawingReply& reply, std::size_t index, media::ImageFormat format);

/// Appends `["base64",…]`.
void append_pictures(const DrawingReply& reply, std::string& out);

/// Appends that picture of the reply's as `"base64"`.
void append_picture_of(const DrawingReply& reply, std::size_t index, media::ImageFormat format,
                       std::string& out);

/// Appends `"base64"`.
void append_picture(const Picture& picture, media::ImageFormat format,
                    std::span<const media::FileText> texts, std::string& out);

}  // namespace craton::families
