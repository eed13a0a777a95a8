// Stability AI's SDXL 0.8 and 1.0.
//
// Source: docs.aws.amazon.com "Stability.ai Diffusion 1.0 text to image", "… image to image", "…
// image to image (masking)".
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

constexpr std::string_view prefixes[] = {"stability.stable-diffusion-xl"};

bool is_1_0(const ModelContext& model) {
  return model.model_id.starts_with("stability.stable-diffusion-xl-v1");
}

constexpr std::string_view presets[] = {"FAST_BLUE", "FAST_GREEN", "NONE",   "SIMPLE",
                                        "SLOW",      "SLOWER",     "SLOWEST"};
constexpr std::string_view samplers[] = {"DDIM",       "DDPM",
                                         "K_DPMPP_2M", "K_DPMPP_2S_ANCESTRAL",
                                         "K_DPM_2",    "K_DPM_2_ANCESTRAL",
                                         "K_EULER",    "K_EULER_ANCESTRAL",
                                         "K_HEUN",     "K_LMS"};
constexpr std::string_view styles[] = {
    "3d-model",  "analog-film", "anime",        "cinematic", "comic-book",  "digital-art",
    "enhance",   "fantasy-art", "isometric",    "line-art",  "low-poly",    "modeling-compound",
    "neon-punk", "origami",     "photographic", "pixel-art", "tile-texture"};
constexpr std::string_view init_modes[] = {"IMAGE_STRENGTH", "STEP_SCHEDULE"};
constexpr std::string_view mask_sources[] = {"MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK",
                                             "INIT_IMAGE_ALPHA"};

constexpr Schema number_schema{.type = JsonType::number};
constexpr Schema prompt_text_schema{.type = JsonType::string, .size_max = 2000};
constexpr Property prompt_properties[] = {{"text", &prompt_text_schema, Presence::required},
                                          {"weight", &number_schema}};
constexpr Schema prompt_part_schema{.type = JsonType::object, .properties = prompt_properties};
constexpr Schema prompts_schema{
    .type = JsonType::array, .size_min = 1, .items = &prompt_part_schema};
constexpr Schema side_schema{
    .type = JsonType::integer, .minimum = Bound{128}, .maximum = Bound{1536}, .multiple_of = 64};
constexpr Schema guidance_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{35}};
constexpr Schema preset_schema{.type = JsonType::string, .values = presets};
constexpr Schema sampler_schema{.type = JsonType::string, .values = samplers};
constexpr Schema samples_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{1}};
constexpr std::uint64_t seed_max = 4'294'967'295;
constexpr Schema seed_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{seed_max}};
// Copies of the provider's page disagree on the upper end, 50 or 150.
constexpr Schema steps_schema{
    .type = JsonType::integer, .minimum = Bound{10}, .maximum = Bound{150}};
constexpr Schema style_schema{.type = JsonType::string, .values = styles};
constexpr Schema init_mode_schema{.type = JsonType::string, .values = init_modes};
constexpr Schema mask_source_schema{.type = JsonType::string, .values = mask_sources};

constexpr Property properties[] = {
    {"text_prompts", &prompts_schema, Presence::required},
    {"width", &side_schema},
    {"height", &side_schema},
    {"cfg_scale", &guidance_schema},
    {"clip_guidance_preset", &preset_schema},
    {"sampler", &sampler_schema},
    {"samples", &samples_schema},
    {"seed", &seed_schema},
    {"steps", &steps_schema},
    {"style_preset", &style_schema},
    {"extras", &free_object_schema},
    {"init_image", &prompt_schema},
    {"init_image_mode", &init_mode_schema},
    {"image_strength", &unit_schema},
    {"step_schedule_start", &unit_schema},
    {"step_schedule_end", &unit_schema},
    {"mask_source", &mask_source_schema},
    {"mask_image", &prompt_schema},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

/// Members that are nothing without another.
struct Needs {
  std::string_view member;
  std::string_view other;
};
constexpr std::array needs{
    Needs{"init_image_mode", "init_image"},     Needs{"image_strength", "init_image"},
    Needs{"step_schedule_start", "init_image"}, Needs{"step_schedule_end", "init_image"},
    Needs{"mask_source", "init_image"},         Needs{"mask_image", "mask_source"},
};

Error missing(std::string_view name) {
  return violation("#: required key [" + std::string(name) + "] not found");
}

Result<void> check_needs(const json::object& body) {
  for (const Needs& row : needs) {
    if (body.contains(row.member) && !body.contains(row.other)) return missing(row.other);
  }
  const std::string_view mask = text_member(body, "mask_source");
  if (mask.starts_with("MASK_IMAGE") && !body.contains("mask_image")) return missing("mask_image");
  return {};
}

struct Size {
  int width;
  int height;
};
constexpr std::array sizes_of_1_0{Size{1024, 1024}, Size{1152, 896}, Size{1216, 832},
                                  Size{1344, 768},  Size{1536, 640}, Size{640, 1536},
                                  Size{768, 1344},  Size{832, 1216}, Size{896, 1152}};
constexpr int pixels_max_of_0_8 = 1024 * 1024;

std::string text_of(const Size& size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

Result<void> check_size(const Size& asked, const ModelContext& model) {
  if (!is_1_0(model)) {
    if (asked.width * asked.height <= pixels_max_of_0_8) return {};
    return violation("#: " + text_of(asked) + " has more than " +
                     std::to_string(pixels_max_of_0_8) + " pixels");
  }
  std::string allowed;
  for (const Size& size : sizes_of_1_0) {
    if (size.width == asked.width && size.height == asked.height) return {};
    allowed += text_of(size) + ", ";
  }
  // Stability's own words.
  return Error{ErrorCode::validation,
               "for stable-diffusion-xl-1024-v0-9 and stable-diffusion-xl-1024-v1-0 the allowed "
               "dimensions are " +
                   allowed + "but we received " + text_of(asked)};
}

constexpr std::array formats{media::ImageFormat::png, media::ImageFormat::jpeg};
constexpr PictureRules pictures{
    .formats = formats,
    .side_max = 4096,
    .pixels_max = 4'194'304,
    .refuse = refuse_as_violation,
    .too_many_pixels = "the image has more than 4096 pixels in a side or 4194304 in all"};

/// How far a redrawn picture is from its source.
double strength_of(const json::object& body) {
  if (text_member(body, "init_image_mode") == "STEP_SCHEDULE") {
    return number_member(body, "step_schedule_start").value_or(0.65);
  }
  return 1 - number_member(body, "image_strength").value_or(0.35);
}

Result<void> read_mask(const json::object& body, DrawingRequest& request) {
  const std::string_view from = text_member(body, "mask_source");
  if (from.empty()) return {};
  request.task = DrawingTask::inpaint;
  request.strength = 1;
  const Picture& source = request.sources.front();
  if (from == "INIT_IMAGE_ALPHA") {
    request.mask = mask_of(source, MaskOf::clearness);
    return {};
  }
  CRATON_TRY_ASSIGN(const Picture mask,
                    read_picture(text_member(body, "mask_image"), pictures, "#/mask_image"));
  CRATON_TRY(check_mask_size(mask, source, pictures, "#/mask_image"));
  request.mask = mask_of(mask, from == "MASK_IMAGE_WHITE" ? MaskOf::lightness : MaskOf::darkness);
  return {};
}

Result<void> read_source(const json::object& body, DrawingRequest& request) {
  if (!body.contains("init_image")) return {};
  CRATON_TRY_ASSIGN(Picture source,
                    read_picture(text_member(body, "init_image"), pictures, "#/init_image"));
  take_size(source, request);
  request.sources.push_back(std::move(source));
  request.task = DrawingTask::image_to_image;
  request.strength = strength_of(body);
  return read_mask(body, request);
}

Result<NativeDrawing> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  CRATON_TRY(check_needs(body));
  NativeDrawing native;
  DrawingRequest& request = native.request;
  const int side = is_1_0(model) ? 1024 : 512;
  request.width = integer_member(body, "width").value_or(side);
  request.height = integer_member(body, "height").value_or(side);
  CRATON_TRY(check_size({request.width, request.height}, model));
  for (const json::value& value : body.at("text_prompts").get_array()) {
    const json::object& part = value.get_object();
    add_prompt(text_member(part, "text"), number_member(part, "weight").value_or(1), request);
  }
  request.style = text_member(body, "style_preset");
  request.guidance = number_member(body, "cfg_scale").value_or(7);
  request.steps = integer_member(body, "steps").value_or(30);
  request.sampler = text_member(body, "sampler");
  CRATON_TRY(read_source(body, request));
  request.seed = drawn_seed(seed_member(body, "seed").value_or(0), seed_max);
  native.form.task = request.task;
  native.form.seed = request.seed;
  return native;
}

/// The picture alone; what JSON would tell beside it are headers, as Stability's own API has them.
RenderedDrawing render_file(const DrawingReply& reply) {
  return {.body = picture_file(reply, 0, media::ImageFormat::png),
          .content_type = "image/png",
          .headers = {{"Finish-Reason", "SUCCESS"}, {"Seed", std::to_string(reply.form.seed)}}};
}

RenderedDrawing render(const DrawingReply& reply) {
  if (reply.accept == "image/png") return render_file(reply);
  std::string body = R"({"result":"success","artifacts":[)";
  for (std::size_t i = 0; i < picture_count(reply.made); ++i) {
    if (i > 0) body += ',';
    body += "{\"seed\":" + std::to_string(reply.form.seed + i) + ",\"base64\":";
    append_picture_of(reply, i, media::ImageFormat::png, body);
    body += R"(,"finishReason":"SUCCESS"})";
  }
  body += "]}";
  return {.body = std::move(body)};
}

}  // namespace

constinit const ImageFamily stability_sdxl{
    .name = "stability.sdxl", .id_prefixes = prefixes, .parse = parse, .render = render};

}  // namespace craton::families
