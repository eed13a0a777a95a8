// What Titan Image Generator and Nova Canvas have alike: a task, the parameters of that task, and
// the configuration of all; the bounds differ.
//
// Source: docs.aws.amazon.com "Amazon Titan Image Generator G1 models", "Image generation request
// and response" of Amazon Nova.
// No I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "families/image_family.h"
#include "families/image_members.h"
#include "families/members.h"
#include "families/schema.h"

namespace craton::families {

struct AmazonImageRules;

/// How one task's parameters are read. `place`: theirs, "#/inPaintingParams".
using ReadAmazonTask = Result<void> (*)(const json::object& params, std::string_view place,
                                        const AmazonImageRules& rules, NativeDrawing& native);

struct AmazonTask {
  std::string_view name;    ///< "INPAINTING"
  std::string_view params;  ///< "inPaintingParams"
  DrawingTask task;
  ReadAmazonTask read;
};

/// Those of both.
std::span<const AmazonTask> common_amazon_tasks();

struct AmazonImageRules {
  std::span<const AmazonTask> more_tasks;
  double guidance;     ///< What `cfgScale` is where it is absent,
  std::uint64_t seed;  ///< and `seed`.
  PictureRules pictures;
  Result<void> (*check_size)(int width, int height);
};

/// The drawing that `body`, valid by its schema, asks for. Fails with `validation`.
Result<NativeDrawing> read_amazon_image(const json::object& body, const AmazonImageRules& rules);

RenderedDrawing render_amazon_image(const DrawingReply& reply);

/// `name`, a picture of `params`. Fails as read_picture().
Result<Picture> amazon_picture(const json::object& params, std::string_view name,
                               std::string_view place, const AmazonImageRules& rules);

/// Reads a mask for the first source of `native`: black is what a task changes, but for
/// outpainting, which changes what is white.
Result<void> read_amazon_mask(const json::object& params, std::string_view place,
                              const AmazonImageRules& rules, NativeDrawing& native);

struct AmazonImageBounds {
  std::size_t text_max;       ///< Code points of `text` and `negativeText`,
  std::size_t mask_text_max;  ///< and of `maskPrompt`.
  std::uint32_t seed_max;
};

/// The models that have what others have not.
struct AmazonImageHas {
  HasIt conditions;  ///< conditionImage
  HasIt styles;
  HasIt colors;      ///< COLOR_GUIDED_GENERATION
  HasIt background;  ///< BACKGROUND_REMOVAL
};

namespace amazon_image {

bool is_color(std::string_view text);
inline constexpr Pattern color_pattern{"^#[0-9a-fA-F]{6}$", is_color};

inline constexpr std::string_view control_modes[] = {"CANNY_EDGE", "SEGMENTATION"};
inline constexpr std::string_view outpainting_modes[] = {"DEFAULT", "PRECISE"};
inline constexpr std::string_view qualities[] = {"standard", "premium"};
inline constexpr std::string_view styles[] = {"3D_ANIMATED_FAMILY_FILM",
                                              "DESIGN_SKETCH",
                                              "FLAT_VECTOR_ILLUSTRATION",
                                              "GRAPHIC_NOVEL_ILLUSTRATION",
                                              "MAXIMALISM",
                                              "MIDCENTURY_RETRO",
                                              "PHOTOREALISM",
                                              "SOFT_DIGITAL_PAINTING"};

inline constexpr Schema control_mode_schema{.type = JsonType::string, .values = control_modes};
inline constexpr Schema outpainting_schema{.type = JsonType::string, .values = outpainting_modes};
inline constexpr Schema quality_schema{.type = JsonType::string, .values = qualities};
inline constexpr Schema style_schema{.type = JsonType::string, .values = styles};
inline constexpr Schema similarity_schema{
    .type = JsonType::number, .minimum = Bound{0.2}, .maximum = Bound{1}};
inline constexpr Schema count_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{5}};
inline constexpr Schema guidance_schema{
    .type = JsonType::number, .minimum = Bound{1.1}, .maximum = Bound{10}};
inline constexpr Schema images_schema{
    .type = JsonType::array, .size_min = 1, .size_max = 5, .items = &prompt_schema};
inline constexpr Schema color_schema{.type = JsonType::string, .pattern = &color_pattern};
inline constexpr Schema colors_schema{
    .type = JsonType::array, .size_min = 1, .size_max = 10, .items = &color_schema};
inline constexpr Property background_properties[] = {{"image", &prompt_schema, Presence::required}};
inline constexpr Schema background_schema{.type = JsonType::object,
                                          .properties = background_properties};

}  // namespace amazon_image

/// The schemas of tasks and configuration within the bounds of one family. `side`: of a picture
/// that is asked for.
template <AmazonImageBounds bounds, const AmazonImageHas& has, const Schema& side>
struct AmazonImageSchemas {
  static constexpr Schema text{
      .type = JsonType::string, .size_min = 1, .size_max = bounds.text_max};
  static constexpr Schema negative{.type = JsonType::string, .size_max = bounds.text_max};
  static constexpr Schema mask_text{
      .type = JsonType::string, .size_min = 1, .size_max = bounds.mask_text_max};
  static constexpr Schema seed{
      .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{bounds.seed_max}};

  static constexpr Property text_image_properties[] = {
      {"text", &text, Presence::required},
      {"negativeText", &negative},
      {"style", &amazon_image::style_schema, Presence::optional, has.styles},
      {"conditionImage", &prompt_schema, Presence::optional, has.conditions},
      {"controlMode", &amazon_image::control_mode_schema, Presence::optional, has.conditions},
      {"controlStrength", &unit_schema, Presence::optional, has.conditions}};
  static constexpr Schema text_image{.type = JsonType::object, .properties = text_image_properties};

  static constexpr Property inpainting_properties[] = {
      {"image", &prompt_schema, Presence::required},
      {"text", &text},
      {"negativeText", &negative},
      {"maskPrompt", &mask_text},
      {"maskImage", &prompt_schema},
      {"returnMask", &boolean_schema}};
  static constexpr Schema inpainting{.type = JsonType::object, .properties = inpainting_properties};

  static constexpr Property outpainting_properties[] = {
      {"image", &prompt_schema, Presence::required},
      {"text", &text, Presence::required},
      {"negativeText", &negative},
      {"maskPrompt", &mask_text},
      {"maskImage", &prompt_schema},
      {"outPaintingMode", &amazon_image::outpainting_schema},
      {"returnMask", &boolean_schema}};
  static constexpr Schema outpainting{.type = JsonType::object,
                                      .properties = outpainting_properties};

  static constexpr Property variation_properties[] = {
      {"images", &amazon_image::images_schema, Presence::required},
      {"text", &text},
      {"negativeText", &negative},
      {"similarityStrength", &amazon_image::similarity_schema}};
  static constexpr Schema variation{.type = JsonType::object, .properties = variation_properties};

  static constexpr Property colors_properties[] = {
      {"text", &text, Presence::required},
      {"negativeText", &negative},
      {"colors", &amazon_image::colors_schema, Presence::required},
      {"referenceImage", &prompt_schema}};
  static constexpr Schema colors{.type = JsonType::object, .properties = colors_properties};

  static constexpr Property config_properties[] = {{"numberOfImages", &amazon_image::count_schema},
                                                   {"width", &side},
                                                   {"height", &side},
                                                   {"cfgScale", &amazon_image::guidance_schema},
                                                   {"seed", &seed},
                                                   {"quality", &amazon_image::quality_schema}};
  static constexpr Schema config{.type = JsonType::object, .properties = config_properties};
};

/// A body of one task: its name, its parameters, the configuration.
constexpr std::array<Property, 3> amazon_body(std::string_view params, const Schema& schema,
                                              const Schema& config) {
  return {{{"taskType", &text_schema, Presence::required},
           {params, &schema, Presence::required},
           {"imageGenerationConfig", &config}}};
}

}  // namespace craton::families
