// Stability AI's Stable Diffusion 3 and 3.5, Stable Image Core and Ultra.
//
// Source: docs.aws.amazon.com "Stability AI models", "Stable Image Ultra request and response",
// "Stable Image Core request and response", "Stable Diffusion 3.5 Large".
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "families/image_family.h"
#include "families/image_members.h"
#include "families/members.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"stability.sd3-", "stability.stable-image-core-",
                                         "stability.stable-image-ultra-"};

constexpr std::string_view modes[] = {"text-to-image", "image-to-image"};
constexpr std::string_view text_modes[] = {"text-to-image"};
constexpr std::string_view sd3_formats[] = {"png", "jpeg", "webp"};
constexpr std::string_view image_formats[] = {"png", "jpeg"};

struct Aspect {
  std::string_view name;
  int width;
  int height;
};
// Sizes of the pictures that the models make: about a megapixel, sides of whole 64 pixels.
constexpr std::array aspects{
    Aspect{"16:9", 1344, 768}, Aspect{"1:1", 1024, 1024}, Aspect{"21:9", 1536, 640},
    Aspect{"2:3", 832, 1216},  Aspect{"3:2", 1216, 832},  Aspect{"4:5", 896, 1088},
    Aspect{"5:4", 1088, 896},  Aspect{"9:16", 768, 1344}, Aspect{"9:21", 640, 1536},
};
constexpr auto aspect_names = [] {
  std::array<std::string_view, aspects.size()> names;
  std::ranges::transform(aspects, names.begin(), &Aspect::name);
  return names;
}();

constexpr std::uint64_t seed_max = 4'294'967'294;
constexpr Schema prompt_text_schema{.type = JsonType::string, .size_max = 10'000};
constexpr Schema mode_schema{.type = JsonType::string, .values = modes};
constexpr Schema text_mode_schema{.type = JsonType::string, .values = text_modes};
constexpr Schema aspect_schema{.type = JsonType::string, .values = aspect_names};
constexpr Schema sd3_format_schema{.type = JsonType::string, .values = sd3_formats};
constexpr Schema image_format_schema{.type = JsonType::string, .values = image_formats};
constexpr Schema seed_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{seed_max}};

constexpr Property sd3_properties[] = {
    {"prompt", &prompt_text_schema, Presence::required},
    {"negative_prompt", &prompt_text_schema},
    {"mode", &mode_schema},
    {"image", &prompt_schema},
    {"strength", &unit_schema},
    {"aspect_ratio", &aspect_schema},
    {"output_format", &sd3_format_schema},
    {"seed", &seed_schema},
};
constexpr Property ultra_properties[] = {
    {"prompt", &prompt_text_schema, Presence::required},
    {"negative_prompt", &prompt_text_schema},
    {"mode", &text_mode_schema},
    {"image", &prompt_schema},
    {"strength", &unit_schema},
    {"aspect_ratio", &aspect_schema},
    {"output_format", &image_format_schema},
    {"seed", &seed_schema},
};
constexpr Property core_properties[] = {
    {"prompt", &prompt_text_schema, Presence::required},
    {"negative_prompt", &prompt_text_schema},
    {"mode", &text_mode_schema},
    {"aspect_ratio", &aspect_schema},
    {"output_format", &image_format_schema},
    {"seed", &seed_schema},
};
constexpr Schema sd3_schema{.type = JsonType::object, .properties = sd3_properties};
constexpr Schema ultra_schema{.type = JsonType::object, .properties = ultra_properties};
constexpr Schema core_schema{.type = JsonType::object, .properties = core_properties};

Error missing(std::string_view name) {
  return violation("#: required key [" + std::string(name) + "] not found");
}
Error extraneous(std::string_view name) {
  return violation("#: extraneous key [" + std::string(name) + "] is not permitted");
}

/// What an image takes with it is decided by `mode`: a picture and its strength, or an aspect.
Result<bool> sd3_redraws(const json::object& body) {
  const bool redraws = text_member(body, "mode") == "image-to-image";
  for (const std::string_view name : {"image", "strength"}) {
    if (redraws && !body.contains(name)) return missing(name);
    if (!redraws && body.contains(name)) return extraneous(name);
  }
  if (redraws && body.contains("aspect_ratio")) return extraneous("aspect_ratio");
  return redraws;
}

Result<bool> ultra_redraws(const json::object& body) {
  const bool redraws = body.contains("image");
  if (!redraws && body.contains("strength")) return missing("image");
  if (redraws && body.contains("aspect_ratio")) return extraneous("aspect_ratio");
  return redraws;
}

Result<bool> never_redraws(const json::object&) { return false; }

struct Kind {
  std::string_view prefix;
  const Schema* schema;
  /// Whether a body asks for a picture in another form rather than one of words alone.
  Result<bool> (*redraws)(const json::object& body);
};
constexpr std::array kinds{
    Kind{prefixes[0], &sd3_schema, sd3_redraws},
    Kind{prefixes[1], &core_schema, never_redraws},
    Kind{prefixes[2], &ultra_schema, ultra_redraws},
};

const Kind& kind_of(std::string_view model_id) {
  return *std::ranges::find_if(
      kinds, [model_id](const Kind& kind) { return model_id.starts_with(kind.prefix); });
}

constexpr std::array formats{media::ImageFormat::png, media::ImageFormat::jpeg,
                             media::ImageFormat::webp};
// Source: Stability's own API.
constexpr PictureRules pictures{.formats = formats,
                                .side_min = 64,
                                .side_max = 16'383,  // WebP has no more
                                .pixels_max = 9'437'184,
                                .refuse = refuse_as_violation,
                                .too_many_pixels = "the image has more than 9437184 pixels"};

Result<void> read_source(const json::object& body, DrawingRequest& request) {
  CRATON_TRY_ASSIGN(Picture source, read_picture(text_member(body, "image"), pictures, "#/image"));
  take_size(source, request);
  request.sources.push_back(std::move(source));
  request.task = DrawingTask::image_to_image;
  request.strength = number_member(body, "strength").value_or(0.35);
  return {};
}

void take_aspect(std::string_view name, DrawingRequest& request) {
  const auto aspect = std::ranges::find(aspects, name.empty() ? "1:1" : name, &Aspect::name);
  request.width = aspect->width;
  request.height = aspect->height;
}

Result<NativeDrawing> parse(const ModelContext& model, std::string_view text) {
  const Kind& kind = kind_of(model.model_id);
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, *kind.schema, model));
  CRATON_TRY_ASSIGN(const bool redraws, kind.redraws(body));
  NativeDrawing native;
  DrawingRequest& request = native.request;
  add_prompt(text_member(body, "prompt"), 1, request);
  add_prompt(text_member(body, "negative_prompt"), -1, request);
  take_aspect(text_member(body, "aspect_ratio"), request);
  if (redraws) CRATON_TRY(read_source(body, request));
  request.seed = drawn_seed(seed_member(body, "seed").value_or(0), seed_max);
  const auto format = media::image_format_of(text_member(body, "output_format"));
  native.form = {request.task, request.seed, format.value_or(media::ImageFormat::png), false};
  return native;
}

RenderedDrawing render(const DrawingReply& reply) {
  std::string seeds;
  std::string reasons;
  for (std::size_t i = 0; i < picture_count(reply.made); ++i) {
    seeds += (i > 0 ? "," : "") + std::to_string(reply.form.seed + i);
    reasons += i > 0 ? ",null" : "null";
  }
  std::string body = "{\"seeds\":[" + seeds + "],\"finish_reasons\":[" + reasons + "],\"images\":";
  append_pictures(reply, body);
  body += '}';
  return {.body = std::move(body)};
}

}  // namespace

constinit const ImageFamily stability_image{
    .name = "stability.image", .id_prefixes = prefixes, .parse = parse, .render = render};

}  // namespace craton::families
