// Amazon Titan Image Generator G1, v1 and v2.
//
// Source: docs.aws.amazon.com "Amazon Titan Image Generator G1 models".
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "families/amazon_image.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"amazon.titan-image-generator-"};

bool is_v2(const ModelContext& model) {
  return model.model_id.starts_with("amazon.titan-image-generator-v2");
}
bool none(const ModelContext&) { return false; }

constexpr AmazonImageHas has{
    .conditions = is_v2, .styles = none, .colors = is_v2, .background = is_v2};
constexpr AmazonImageBounds bounds{
    .text_max = 512, .mask_text_max = no_limit, .seed_max = 2'147'483'646};
constexpr Schema side_schema{.type = JsonType::integer, .minimum = Bound{1}};

using Tasks = AmazonImageSchemas<bounds, has, side_schema>;

constexpr auto text_image_body = amazon_body("textToImageParams", Tasks::text_image, Tasks::config);
constexpr auto inpainting_body = amazon_body("inPaintingParams", Tasks::inpainting, Tasks::config);
constexpr auto outpainting_body =
    amazon_body("outPaintingParams", Tasks::outpainting, Tasks::config);
constexpr auto variation_body =
    amazon_body("imageVariationParams", Tasks::variation, Tasks::config);
constexpr auto colors_body =
    amazon_body("colorGuidedGenerationParams", Tasks::colors, Tasks::config);
constexpr auto background_body =
    amazon_body("backgroundRemovalParams", amazon_image::background_schema, Tasks::config);

constexpr Schema text_image_schema{.type = JsonType::object, .properties = text_image_body};
constexpr Schema inpainting_schema{.type = JsonType::object, .properties = inpainting_body};
constexpr Schema outpainting_schema{.type = JsonType::object, .properties = outpainting_body};
constexpr Schema variation_schema{.type = JsonType::object, .properties = variation_body};
constexpr Schema colors_schema{.type = JsonType::object, .properties = colors_body};
constexpr Schema background_schema{.type = JsonType::object, .properties = background_body};

constexpr Variant tasks[] = {
    {"TEXT_IMAGE", &text_image_schema},
    {"INPAINTING", &inpainting_schema},
    {"OUTPAINTING", &outpainting_schema},
    {"IMAGE_VARIATION", &variation_schema},
    {"COLOR_GUIDED_GENERATION", &colors_schema, has.colors},
    {"BACKGROUND_REMOVAL", &background_schema, has.background},
};
constexpr Property any_properties[] = {
    {"taskType", &text_schema, Presence::required},
    {"textToImageParams", &Tasks::text_image},
    {"inPaintingParams", &Tasks::inpainting},
    {"outPaintingParams", &Tasks::outpainting},
    {"imageVariationParams", &Tasks::variation},
    {"colorGuidedGenerationParams", &Tasks::colors, Presence::optional, has.colors},
    {"backgroundRemovalParams", &amazon_image::background_schema, Presence::optional,
     has.background},
    {"imageGenerationConfig", &Tasks::config},
};
constexpr Schema any_schema_of_tasks{.type = JsonType::object, .properties = any_properties};
constexpr Schema schema{.type = JsonType::object,
                        .variants = tasks,
                        .variant_key = "taskType",
                        .variant_otherwise = &any_schema_of_tasks};

struct Size {
  int width;
  int height;
};
constexpr std::array sizes{
    Size{1024, 1024}, Size{768, 768},  Size{512, 512},  Size{768, 1152}, Size{384, 576},
    Size{1152, 768},  Size{576, 384},  Size{768, 1280}, Size{384, 640},  Size{1280, 768},
    Size{640, 384},   Size{896, 1152}, Size{448, 576},  Size{1152, 896}, Size{576, 448},
    Size{768, 1408},  Size{384, 704},  Size{1408, 768}, Size{704, 384},  Size{640, 1408},
    Size{320, 704},   Size{1408, 640}, Size{704, 320},  Size{1152, 640}, Size{1173, 640},
};

Result<void> check_size(int width, int height) {
  const bool known = std::ranges::any_of(sizes, [width, height](const Size& size) {
    return size.width == width && size.height == height;
  });
  if (known) return {};
  return violation("#/imageGenerationConfig: width " + std::to_string(width) + " and height " +
                   std::to_string(height) + " are not a supported size");
}

Error bad_request(std::string_view, std::string_view what) {
  std::string said(what);
  if (said.starts_with("the ")) said[0] = 'T';
  return {ErrorCode::validation, "400 Bad Request: " + said + ". "};
}

constexpr std::array formats{media::ImageFormat::png, media::ImageFormat::jpeg};
constexpr AmazonImageRules rules{
    .more_tasks = {},
    .guidance = 8,
    .seed = 42,
    .pictures = {.formats = formats,
                 .side_max = 1408,
                 .pixels_max = 1408 * 1408,
                 .refuse = bad_request,
                 .too_many_pixels = "Image exceeds max pixels allowed"},
    .check_size = check_size};

Result<NativeDrawing> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  return read_amazon_image(body, rules);
}

}  // namespace

constinit const ImageFamily titan_image{.name = "amazon.titan-image",
                                        .id_prefixes = prefixes,
                                        .parse = parse,
                                        .render = render_amazon_image};

}  // namespace craton::families
