// Families of models that make images: each maps its provider's native InvokeModel body onto a
// DrawingRequest, and Drawings onto the provider's native reply.
//
// One file a provider's schema, one row a family, as family.h has them for models that write text.
// Bedrock neither streams nor converses with these. docs/images.md describes the schemas. Reading a
// body decodes the pictures in it, and rendering encodes them: both take milliseconds and are no
// work for a thread that others wait for. A family knows nothing of engines. No I/O: any function
// may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "conversation/drawing.h"
#include "families/family.h"
#include "media/image_info.h"
#include "media/picture_encode.h"

namespace craton::families {

/// What a reply needs to know of the body, when what is to be drawn has gone to an engine.
struct DrawingForm {
  DrawingTask task = DrawingTask::text_to_image;
  std::uint64_t seed = 0;  ///< Of the first picture; where the provider draws one, drawn.
  media::ImageFormat format = media::ImageFormat::png;
  bool return_mask = false;
};

/// A native body, read.
struct NativeDrawing {
  DrawingRequest request;
  DrawingForm form;
};

/// What a reply is made of.
struct DrawingReply {
  const DrawingForm& form;
  const Drawings& made;
  std::string_view accept;  ///< The content type that the caller asks for: "image/png", "*/*".
  std::span<const media::FileText> texts;  ///< What each picture's file says of itself.
};

/// A native reply.
struct RenderedDrawing {
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct ImageFamily {
  std::string_view name;                          ///< "amazon.titan-image"
  std::span<const std::string_view> id_prefixes;  ///< Of the model ids that speak this schema.

  /// Reads a native body. Fails with `validation` in the provider's words.
  Result<NativeDrawing> (*parse)(const ModelContext& model, std::string_view body);
  RenderedDrawing (*render)(const DrawingReply& reply);
};

/// Every row.
std::span<const ImageFamily* const> all_image_families();

/// The one that speaks for `model_id`; null when none does.
const ImageFamily* image_family_of(std::string_view model_id);

// The rows: titan_image.cc, nova_canvas.cc, stability_sdxl.cc, stability_image.cc.
extern const ImageFamily titan_image;
extern const ImageFamily nova_canvas;
extern const ImageFamily stability_sdxl;
extern const ImageFamily stability_image;

}  // namespace craton::families
