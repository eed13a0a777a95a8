// From a DrawingRequest to what craton-diffusion draws, and back.
//
// No I/O, no globals.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "conversation/drawing.h"
#include "engines/diffusion/messages.h"
#include "engines/diffusion/pixels.h"
#include "engines/diffusion/prompt.h"
#include "engines/diffusion/weights_file.h"

namespace craton::engines::diffusion {

/// What is drawn by where a request does not say.
struct DrawingDefaults {
  WeightsKind kind = WeightsKind::unet;
  int steps = 20;
  const Sampler* sampler = nullptr;  ///< Null: the model's own.
};

/// Fails with `validation` when the model cannot do what is asked; the message says what else
/// could.
Result<void> check(const DrawingRequest& request);

class DrawingPlan {
 public:
  /// Scales what the request brings: up to a tenth of a second. The request has passed check().
  static Result<DrawingPlan> make(DrawingRequest request, const DrawingDefaults& defaults);

  /// Pictures to draw.
  int count() const { return request_.count; }

  /// What is to be told of the `n`-th, from 0.
  Draw draw(int n, std::uint32_t id) const;

  /// The picture that is wanted of what was drawn; nullopt when that has another size.
  std::optional<Picture> picture(const Finished& finished) const;

  /// The picture where nothing has to be drawn: a source that is to be left as it is.
  std::optional<Picture> undrawn() const;

  /// The request's mask, for the reply.
  std::optional<Mask> mask() const { return request_.mask; }

 private:
  DrawingPlan() = default;

  DrawingRequest request_;  ///< Without its sources.
  Draw draw_;               ///< What all of its pictures have in common.
  Size frame_;
  std::optional<Picture> source_;  ///< Of the wanted size, as the mask.
  std::optional<Mask> mask_;
};

}  // namespace craton::engines::diffusion
