#include "engines/diffusion/drawing_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace craton::engines::diffusion {
namespace {

constexpr int count_max = 16;         // more than any schema allows
constexpr double guidance_max = 100;  // SDXL's schema allows 35

Error refused(std::string what) { return {ErrorCode::validation, std::move(what)}; }

Error cannot(std::string_view what) {
  return refused("The model that answers here " + std::string(what) +
                 " Bind another model to this model id.");
}

bool takes_source(DrawingTask task) {
  return task == DrawingTask::image_to_image || task == DrawingTask::inpaint ||
         task == DrawingTask::outpaint;
}

bool takes_mask(DrawingTask task) {
  return task == DrawingTask::inpaint || task == DrawingTask::outpaint;
}

Result<void> check_task(const DrawingRequest& request) {
  if (request.task == DrawingTask::background_removal) {
    return cannot("draws what a prompt says: it removes no backgrounds.");
  }
  if (request.task == DrawingTask::color_guided) return cannot("is not guided by colors.");
  if (request.control) return cannot("has no weights to follow another image's edges or segments.");
  if (!request.mask_prompt.empty()) {
    return refused(
        "The model that answers here finds nothing in an image by words. Send a mask image in "
        "place "
        "of a mask prompt.");
  }
  return {};
}

Result<void> check_images(const DrawingRequest& request) {
  if (takes_source(request.task) && request.sources.empty()) {
    return refused("An image is needed to draw upon.");
  }
  if (request.sources.size() > 1) {
    return refused("The model that answers here draws upon one image at a time, and " +
                   std::to_string(request.sources.size()) + " were sent.");
  }
  if (takes_mask(request.task) && !request.mask) {
    return refused("A mask image is needed that says which part of the image may change.");
  }
  return {};
}

Result<void> check_numbers(const DrawingRequest& request) {
  const Size frame = frame_of({std::max(1, request.width), std::max(1, request.height)});
  const auto fits = [](int side) { return side >= 1 && side <= static_cast<int>(side_max); };
  if (!fits(request.width) || !fits(request.height) || !fits(frame.width) || !fits(frame.height) ||
      std::int64_t{frame.width} * frame.height > std::int64_t{pixels_max}) {
    return refused("The model that answers here draws no image of " +
                   std::to_string(request.width) + " x " + std::to_string(request.height) +
                   " pixels. Ask for a smaller one.");
  }
  if (request.count < 1 || request.count > count_max) {
    return refused("The model that answers here draws 1 to " + std::to_string(count_max) +
                   " images at once.");
  }
  if (request.steps && (*request.steps < 1 || *request.steps > static_cast<int>(steps_max))) {
    return refused("The model that answers here takes 1 to " + std::to_string(steps_max) +
                   " steps.");
  }
  if (!request.sampler.empty() && !find_sampler(request.sampler)) {
    return refused("The model that answers here has no sampler " + request.sampler +
                   ". Name one of " + sampler_names() + ".");
  }
  return {};
}

/// How closely the prompt is followed, in the way of the model.
void set_guidance(Draw& draw, double wanted, WeightsKind kind) {
  const double guidance = std::isfinite(wanted) ? std::clamp(wanted, 0.0, guidance_max) : 1;
  const bool learned = kind == WeightsKind::distilled;
  draw.guidance = learned ? 1 : guidance;
  draw.distilled_guidance = learned ? guidance : 0;
}

/// A flow is followed step by step; the samplers of a schema for others do not fit it.
void set_sampler(Draw& draw, const std::string& wanted, const DrawingDefaults& defaults) {
  const Sampler* named = defaults.kind == WeightsKind::unet ? find_sampler(wanted) : nullptr;
  const Sampler* sampler = named ? named : defaults.sampler;
  if (!sampler) return;
  draw.sampler = sampler->library;
  draw.eta = sampler->eta;
}

}  // namespace

Result<void> check(const DrawingRequest& request) {
  CRATON_TRY(check_task(request));
  CRATON_TRY(check_images(request));
  CRATON_TRY(check_numbers(request));
  CRATON_TRY(prompts_of(request));
  return {};
}

Result<DrawingPlan> DrawingPlan::make(DrawingRequest request, const DrawingDefaults& defaults) {
  DrawingPlan plan;
  CRATON_TRY_ASSIGN(Prompts prompts, prompts_of(request));
  const Size size{request.width, request.height};
  plan.frame_ = frame_of(size);
  Draw& draw = plan.draw_;
  draw.width = static_cast<std::uint32_t>(plan.frame_.width);
  draw.height = static_cast<std::uint32_t>(plan.frame_.height);
  draw.steps = static_cast<std::uint32_t>(request.steps.value_or(defaults.steps));
  draw.prompt = std::move(prompts.prompt);
  draw.negative_prompt = std::move(prompts.negative_prompt);
  draw.strength = std::isfinite(request.strength) ? std::clamp(request.strength, 0.0, 1.0) : 1;
  set_guidance(draw, request.guidance, defaults.kind);
  set_sampler(draw, request.sampler, defaults);
  if (takes_source(request.task)) {
    plan.source_ = scaled(request.sources.front(), size);
    draw.source = framed(*plan.source_, plan.frame_);
  }
  if (takes_mask(request.task)) {
    plan.mask_ = scaled(*request.mask, size);
    draw.mask = framed(*plan.mask_, plan.frame_);
  }
  request.sources.clear();
  plan.request_ = std::move(request);
  return plan;
}

Draw DrawingPlan::draw(int n, std::uint32_t id) const {
  Draw draw = draw_;
  draw.id = id;
  // The library takes a negative one for "any".
  draw.seed = (request_.seed + static_cast<std::uint64_t>(n)) &
              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return draw;
}

std::optional<Picture> DrawingPlan::picture(const Finished& finished) const {
  if (finished.width != draw_.width || finished.height != draw_.height) return std::nullopt;
  Picture picture = cut_out(finished.rgb, frame_, {request_.width, request_.height});
  return mask_ ? composed(*source_, picture, *mask_) : picture;
}

std::optional<Picture> DrawingPlan::undrawn() const {
  const bool nothing_changes = source_ && draw_.strength == 0;
  return nothing_changes ? source_ : std::nullopt;
}

}  // namespace craton::engines::diffusion
