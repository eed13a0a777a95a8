// Bodies of image models: each is read and answered, or refused in words that can be sent. The
// first byte chooses the model.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "families/image_family.h"

namespace craton {
namespace {

constexpr std::string_view model_ids[] = {
    "amazon.titan-image-generator-v1",  "amazon.titan-image-generator-v2:0",
    "amazon.nova-canvas-v1:0",          "stability.stable-diffusion-xl-v1",
    "stability.stable-diffusion-xl",    "stability.sd3-5-large-v1:0",
    "stability.stable-image-core-v1:1", "stability.stable-image-ultra-v1:1",
};

bool is_whole(const Picture& picture) {
  return picture.width > 0 && picture.height > 0 &&
         picture.rgba.size() ==
             static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 4;
}

bool holds(const DrawingRequest& request) {
  if (request.width < 1 || request.height < 1 || request.count < 1 || request.count > 5) {
    return false;
  }
  if (!std::ranges::all_of(request.sources, is_whole)) return false;
  if (request.control && !is_whole(request.control->picture)) return false;
  const bool paints = request.task == DrawingTask::inpaint || request.task == DrawingTask::outpaint;
  if (paints && request.sources.empty()) return false;
  if (request.mask) {
    const Picture& source = request.sources.front();
    if (request.mask->width != source.width || request.mask->height != source.height) return false;
  }
  return !paints || request.mask.has_value() != !request.mask_prompt.empty();
}

void check(std::string_view model_id, std::string_view body) {
  const families::ModelContext model{model_id, std::nullopt, std::nullopt, false};
  const families::ImageFamily& family = *families::image_family_of(model_id);
  const auto native = family.parse(model, body);
  if (!native) {
    const Error& error = native.error();
    if (error.code != ErrorCode::validation || !json::parse(json::quote(error.message))) {
      std::abort();
    }
    return;
  }
  if (!holds(native->request)) std::abort();
  Drawings made;
  made.pictures = {Picture{1, 1, {1, 2, 3, 4}}};
  made.mask = Mask{1, 1, {255}};
  if (!json::parse(family.render({native->form, made, "", {}}).body)) std::abort();
}

}  // namespace
}  // namespace craton

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  craton::check(craton::model_ids[data[0] % std::size(craton::model_ids)], body);
  return 0;
}
