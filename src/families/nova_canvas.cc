// Amazon Nova Canvas: Titan's tasks within wider bounds, and virtual try-on.
//
// Source: docs.aws.amazon.com/nova "Image generation request and response", "Virtual try-on".
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cctype>
#include <string>
#include <utility>

#include "families/amazon_image.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"amazon.nova-canvas-"};

constexpr AmazonImageHas has{};  // all of it
constexpr AmazonImageBounds bounds{
    .text_max = 1024, .mask_text_max = 1024, .seed_max = 858'993'459};
constexpr Schema side_schema{
    .type = JsonType::integer, .minimum = Bound{320}, .maximum = Bound{4096}, .multiple_of = 16};

using Tasks = AmazonImageSchemas<bounds, has, side_schema>;

constexpr std::string_view mask_types[] = {"IMAGE", "GARMENT", "PROMPT"};
constexpr std::string_view mask_shapes[] = {"CONTOUR", "BOUNDING_BOX", "DEFAULT"};
constexpr std::string_view garments[] = {"UPPER_BODY",
                                         "LOWER_BODY",
                                         "FULL_BODY",
                                         "FOOTWEAR",
                                         "LONG_SLEEVE_SHIRT",
                                         "SHORT_SLEEVE_SHIRT",
                                         "NO_SLEEVE_SHIRT",
                                         "OTHER_UPPER_BODY",
                                         "LONG_PANTS",
                                         "SHORT_PANTS",
                                         "OTHER_LOWER_BODY",
                                         "LONG_DRESS",
                                         "SHORT_DRESS",
                                         "FULL_BODY_OUTFIT",
                                         "OTHER_FULL_BODY",
                                         "SHOES",
                                         "BOOTS",
                                         "OTHER_FOOTWEAR"};
constexpr std::string_view sleeves[] = {"SLEEVE_DOWN", "SLEEVE_UP"};
constexpr std::string_view tucking[] = {"UNTUCKED", "TUCKED"};
constexpr std::string_view outer_layers[] = {"CLOSED", "OPEN"};
constexpr std::string_view toggles[] = {"ON", "OFF", "DEFAULT"};
constexpr std::string_view merges[] = {"BALANCED", "SEAMLESS", "DETAILED"};

constexpr Schema mask_type_schema{.type = JsonType::string, .values = mask_types};
constexpr Schema mask_shape_schema{.type = JsonType::string, .values = mask_shapes};
constexpr Schema garment_schema{.type = JsonType::string, .values = garments};
constexpr Schema sleeve_schema{.type = JsonType::string, .values = sleeves};
constexpr Schema tucking_schema{.type = JsonType::string, .values = tucking};
constexpr Schema outer_layer_schema{.type = JsonType::string, .values = outer_layers};
constexpr Schema toggle_schema{.type = JsonType::string, .values = toggles};
constexpr Schema merge_schema{.type = JsonType::string, .values = merges};

constexpr Property image_mask_properties[] = {{"maskImage", &prompt_schema, Presence::required}};
constexpr Schema image_mask_schema{.type = JsonType::object, .properties = image_mask_properties};
constexpr Property styling_properties[] = {{"longSleeveStyle", &sleeve_schema},
                                           {"tuckingStyle", &tucking_schema},
                                           {"outerLayerStyle", &outer_layer_schema}};
constexpr Schema styling_schema{.type = JsonType::object, .properties = styling_properties};
constexpr Property garment_mask_properties[] = {
    {"maskShape", &mask_shape_schema},
    {"garmentClass", &garment_schema, Presence::required},
    {"garmentStyling", &styling_schema}};
constexpr Schema garment_mask_schema{.type = JsonType::object,
                                     .properties = garment_mask_properties};
constexpr Property prompt_mask_properties[] = {
    {"maskShape", &mask_shape_schema}, {"maskPrompt", &Tasks::mask_text, Presence::required}};
constexpr Schema prompt_mask_schema{.type = JsonType::object, .properties = prompt_mask_properties};
constexpr Property exclusion_properties[] = {{"preserveBodyPose", &toggle_schema},
                                             {"preserveHands", &toggle_schema},
                                             {"preserveFace", &toggle_schema}};
constexpr Schema exclusions_schema{.type = JsonType::object, .properties = exclusion_properties};
constexpr Property try_on_properties[] = {{"sourceImage", &prompt_schema, Presence::required},
                                          {"referenceImage", &prompt_schema, Presence::required},
                                          {"maskType", &mask_type_schema, Presence::required},
                                          {"imageBasedMask", &image_mask_schema},
                                          {"garmentBasedMask", &garment_mask_schema},
                                          {"promptBasedMask", &prompt_mask_schema},
                                          {"maskExclusions", &exclusions_schema},
                                          {"mergeStyle", &merge_schema},
                                          {"returnMask", &boolean_schema}};
constexpr Schema try_on_params_schema{.type = JsonType::object, .properties = try_on_properties};

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
constexpr auto try_on_body = amazon_body("virtualTryOnParams", try_on_params_schema, Tasks::config);

constexpr Schema text_image_schema{.type = JsonType::object, .properties = text_image_body};
constexpr Schema inpainting_schema{.type = JsonType::object, .properties = inpainting_body};
constexpr Schema outpainting_schema{.type = JsonType::object, .properties = outpainting_body};
constexpr Schema variation_schema{.type = JsonType::object, .properties = variation_body};
constexpr Schema colors_schema{.type = JsonType::object, .properties = colors_body};
constexpr Schema background_schema{.type = JsonType::object, .properties = background_body};
constexpr Schema try_on_schema{.type = JsonType::object, .properties = try_on_body};

constexpr Variant variants[] = {
    {"TEXT_IMAGE", &text_image_schema},          {"INPAINTING", &inpainting_schema},
    {"OUTPAINTING", &outpainting_schema},        {"IMAGE_VARIATION", &variation_schema},
    {"COLOR_GUIDED_GENERATION", &colors_schema}, {"BACKGROUND_REMOVAL", &background_schema},
    {"VIRTUAL_TRY_ON", &try_on_schema},
};
constexpr Property any_properties[] = {
    {"taskType", &text_schema, Presence::required},
    {"textToImageParams", &Tasks::text_image},
    {"inPaintingParams", &Tasks::inpainting},
    {"outPaintingParams", &Tasks::outpainting},
    {"imageVariationParams", &Tasks::variation},
    {"colorGuidedGenerationParams", &Tasks::colors},
    {"backgroundRemovalParams", &amazon_image::background_schema},
    {"virtualTryOnParams", &try_on_params_schema},
    {"imageGenerationConfig", &Tasks::config},
};
constexpr Schema any_schema_of_tasks{.type = JsonType::object, .properties = any_properties};
constexpr Schema schema{.type = JsonType::object,
                        .variants = variants,
                        .variant_key = "taskType",
                        .variant_otherwise = &any_schema_of_tasks};

constexpr std::uint64_t pixels_max = 4'194'304;
constexpr int aspect_max = 4;

Result<void> check_size(int width, int height) {
  const auto [shorter, longer] = std::minmax({width, height});
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (longer > shorter * aspect_max) {
    return violation("#/imageGenerationConfig: the aspect ratio of " + size +
                     " is not between 1:4 and 4:1");
  }
  if (std::uint64_t(width) * std::uint64_t(height) > pixels_max) {
    return violation("#/imageGenerationConfig: " + size + " has more than " +
                     std::to_string(pixels_max) + " pixels");
  }
  return {};
}

/// "UPPER_BODY" as a person says it.
std::string in_words(std::string_view name) {
  std::string words;
  for (const unsigned char c : name) words += c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  return words;
}

/// What tells where the mask is, by `maskType`.
struct MaskKind {
  std::string_view type;
  std::string_view member;
};
constexpr std::array mask_kinds{MaskKind{"IMAGE", "imageBasedMask"},
                                MaskKind{"GARMENT", "garmentBasedMask"},
                                MaskKind{"PROMPT", "promptBasedMask"}};

Result<void> read_try_on(const json::object& params, std::string_view place,
                         const AmazonImageRules& rules, NativeDrawing& native) {
  DrawingRequest& request = native.request;
  const auto kind = std::ranges::find(mask_kinds, text_member(params, "maskType"), &MaskKind::type);
  const json::value* told = params.if_contains(kind->member);
  if (!told) {
    return violation(std::string(place) + ": required key [" + std::string(kind->member) +
                     "] not found");
  }
  for (const std::string_view name : {"sourceImage", "referenceImage"}) {
    CRATON_TRY_ASSIGN(Picture picture, amazon_picture(params, name, place, rules));
    request.sources.push_back(std::move(picture));
  }
  take_size(request.sources.front(), request);
  native.form.return_mask = asks(params, "returnMask");
  const json::object& mask = told->get_object();
  if (kind->type == "IMAGE") {
    return read_amazon_mask(mask, std::string(place) + "/imageBasedMask", rules, native);
  }
  request.mask_prompt = kind->type == "GARMENT" ? in_words(text_member(mask, "garmentClass"))
                                                : std::string(text_member(mask, "maskPrompt"));
  return {};
}

constexpr AmazonTask more_tasks[] = {
    {"VIRTUAL_TRY_ON", "virtualTryOnParams", DrawingTask::inpaint, read_try_on}};

constexpr std::array formats{media::ImageFormat::png, media::ImageFormat::jpeg};
constexpr AmazonImageRules rules{
    .more_tasks = more_tasks,
    .guidance = 6.5,
    .seed = 12,
    .pictures = {.formats = formats,
                 .side_max = 4096,
                 .pixels_max = pixels_max,
                 .refuse = refuse_as_violation,
                 .too_many_pixels =
                     "the image has more than 4096 pixels in a side or 4194304 in all"},
    .check_size = check_size};

Result<NativeDrawing> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  return read_amazon_image(body, rules);
}

}  // namespace

constinit const ImageFamily nova_canvas{.name = "amazon.nova-canvas",
                                        .id_prefixes = prefixes,
                                        .parse = parse,
                                        .render = render_amazon_image};

}  // namespace craton::families
