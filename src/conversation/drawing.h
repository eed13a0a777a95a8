// What is asked of a model that makes images, and what it gives. The provider's native schemas of
// image models are mappings onto it.
//
// Pictures are pixels here: whoever reads a request has decoded its files, and whoever writes the
// reply encodes them, so that an engine knows no file format.
//
// Plain values: no I/O, no threads.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/image_info.h"
#include "media/picture.h"

namespace craton {

using media::Mask;
using media::Picture;

enum class DrawingTask {
  text_to_image,
  image_to_image,      ///< `sources` in another form: one is redrawn, several are drawn upon.
  inpaint,             ///< The masked part of the source anew; of a second source, where it is.
  outpaint,            ///< All but what the mask keeps, or what `mask_prompt` names.
  color_guided,        ///< From the prompt, in `colors`; of a source where there is one.
  background_removal,  ///< The source's foreground, its background transparent.
};

/// A prompt, or a part of one. What is not to be seen has a negative weight.
struct PromptPart {
  std::string text;  ///< UTF-8
  double weight = 1;

  friend bool operator==(const PromptPart&, const PromptPart&) = default;
};

/// What of `picture` the drawing has to follow.
struct DrawingControl {
  enum class Kind { edges, segments };
  Kind kind = Kind::edges;
  double strength = 0.7;  ///< 0 to 1
  Picture picture;

  friend bool operator==(const DrawingControl&, const DrawingControl&) = default;
};

struct DrawingRequest {
  DrawingTask task = DrawingTask::text_to_image;
  std::vector<PromptPart> prompts = {};
  std::string style = {};  ///< As the provider names it; empty: none.
  std::vector<Picture> sources = {};
  std::optional<Mask> mask = std::nullopt;  ///< Of the size of the first source.
  std::string mask_prompt = {};             ///< What the mask covers, in words, in place of one.
  std::optional<DrawingControl> control = std::nullopt;
  std::vector<std::array<std::uint8_t, 3>> colors = {};  ///< RGB
  double strength = 1;  ///< How far from the source: 0 leaves it as it is, 1 forgets it.
  int width = 0;        ///< Pixels, of each picture that is made.
  int height = 0;
  int count = 1;             ///< Pictures; the n-th has the seed `seed + n`.
  std::uint64_t seed = 0;    ///< The same request with the same seed gives the same picture.
  double guidance = 7;       ///< How closely the prompt is followed ("cfg scale").
  std::optional<int> steps;  ///< Of denoising; absent: the engine's own.
  std::string sampler = {};  ///< As SDXL's schema names it: "K_EULER"; empty: the engine's own.

  friend bool operator==(const DrawingRequest&, const DrawingRequest&) = default;
};

/// A picture that is a file already.
struct PictureFile {
  media::ImageFormat format = media::ImageFormat::png;  ///< Not gif.
  std::string bytes;                                    ///< That can be decoded.

  friend bool operator==(const PictureFile&, const PictureFile&) = default;
};

struct Drawings {
  std::vector<Picture> pictures;  ///< As many as were asked for, of the size that was asked for.
  /// In place of `pictures`, of any size: given as they are where the caller wants that format.
  std::vector<PictureFile> files = {};
  std::optional<Mask> mask;  ///< The one that was used, where the request had one, or words.
  /// The engine's, in what it may hold at once; given back when the pictures go.
  std::shared_ptr<void> place = nullptr;
  std::string stand_in = {};  ///< What no model made: "drawn without a model"; empty: nothing.
};

}  // namespace craton
