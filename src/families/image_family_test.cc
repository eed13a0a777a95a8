// The families of image models: what their bodies may be, what they are read as, what their replies
// are.
#include "families/image_family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/base64.h"
#include "base/json.h"
#include "media/picture_decode.h"

namespace craton::families {
namespace {

using testing::HasSubstr;

constexpr std::string_view v1 = "amazon.titan-image-generator-v1";
constexpr std::string_view v2 = "amazon.titan-image-generator-v2:0";
constexpr std::string_view nova = "amazon.nova-canvas-v1:0";
constexpr std::string_view sdxl = "stability.stable-diffusion-xl-v1";
constexpr std::string_view sdxl0 = "stability.stable-diffusion-xl-v0";
constexpr std::string_view sd3 = "stability.sd3-large-v1:0";
constexpr std::string_view sd35 = "stability.sd3-5-large-v1:0";
constexpr std::string_view core = "stability.stable-image-core-v1:1";
constexpr std::string_view ultra = "stability.stable-image-ultra-v1:1";

Result<NativeDrawing> parsed(std::string_view model_id, std::string_view body) {
  const ImageFamily* family = image_family_of(model_id);
  if (!family) return Error{ErrorCode::validation, "no family"};
  return family->parse({model_id, std::nullopt, std::nullopt, false}, body);
}

DrawingRequest request_of(std::string_view model_id, std::string_view body) {
  auto native = parsed(model_id, body);
  EXPECT_TRUE(native) << native.error().message;
  return native ? std::move(native->request) : DrawingRequest();
}

std::string refusal(std::string_view model_id, std::string_view body) {
  const auto native = parsed(model_id, body);
  return native ? "accepted" : native.error().message;
}

/// A picture of one colour, its left half of another.
Picture halves(int width, int height, std::uint8_t left, std::uint8_t right) {
  Picture picture{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    const std::uint8_t shade = i % width < width / 2 ? left : right;
    picture.rgba.insert(picture.rgba.end(), {shade, shade, shade, 255});
  }
  return picture;
}

std::string in_base64(const Picture& picture, media::ImageFormat format = media::ImageFormat::png) {
  std::string text;
  append_base64(media::encode_picture(picture, format), text);
  return text;
}

const std::string image = in_base64(halves(64, 64, 10, 200));
const std::string mask = in_base64(halves(64, 64, 0, 255));
const std::string other_mask = in_base64(halves(32, 64, 0, 255));
const std::string webp = in_base64(halves(64, 64, 10, 200), media::ImageFormat::webp);

/// "key":"value", and a comma where more follows.
std::string member(const std::string& key, const std::string& value) {
  return "\"" + key + "\":\"" + value + "\"";
}

std::string task(const std::string& name, const std::string& params, const std::string& members,
                 const std::string& config = "") {
  return "{" + member("taskType", name) + ",\"" + params + "\":{" + members + "}" +
         (config.empty() ? "" : ",\"imageGenerationConfig\":{" + config + "}") + "}";
}

std::string text_image(const std::string& members, const std::string& config = "") {
  return task("TEXT_IMAGE", "textToImageParams", members, config);
}

std::string letters(std::size_t count) { return std::string(count, 'x'); }

std::string prompts(const std::string& more = "") {
  return R"({"text_prompts":[{"text":"a boat"}])" + more + "}";
}

std::string with_image(const std::string& more) {
  return prompts("," + member("init_image", image) + more);
}

TEST(ImageFamilies, SpeakForTheIdsOfTheirModelsAlone) {
  EXPECT_EQ(image_family_of("amazon.titan-image-generator-v1:0")->name, "amazon.titan-image");
  EXPECT_EQ(image_family_of("stability.stable-diffusion-xl")->name, "stability.sdxl");
  EXPECT_EQ(image_family_of("stability.stable-image-core-v1:0")->name, "stability.image");
  EXPECT_EQ(image_family_of("amazon.nova-canvas-v1:0")->name, "amazon.nova-canvas");
  for (const char* id : {"amazon.titan-embed-image-v1", "amazon.nova-pro-v1:0",
                         "stability.stable-image-inpaint-v1:0", "stability.stable-outpaint-v1:0"})
    EXPECT_EQ(image_family_of(id), nullptr) << id;
}

struct Refused {
  const char* name;
  std::string_view model;
  std::string body;
  std::string violation;
};

const std::string boat = member("text", "a boat");

const Refused refused[] = {
    {"titan_nothing", v1, "{}", "#: required key [taskType] not found"},
    {"titan_embedding_body", v1, R"({"inputText":"a"})",
     "#: required key [taskType] not found, #: extraneous key [inputText] is not permitted"},
    {"titan_task", v1, R"({"taskType":"VIDEO"})", "#/taskType: VIDEO is not a valid enum value"},
    {"titan_task_type", v1, R"({"taskType":1})",
     "#/taskType: expected type: String, found: Integer"},
    {"titan_v1_colors", v1, task("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams", boat),
     "extraneous key [colorGuidedGenerationParams] is not permitted, #/taskType: "
     "COLOR_GUIDED_GENERATION is not a valid enum value"},
    {"titan_v1_background", v1, R"({"taskType":"BACKGROUND_REMOVAL"})",
     "#/taskType: BACKGROUND_REMOVAL is not a valid enum value"},
    {"titan_params", v1, R"({"taskType":"TEXT_IMAGE"})",
     "#: required key [textToImageParams] not found"},
    {"titan_other_params", v1,
     R"({"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a"},"inPaintingParams":{}})",
     "#: extraneous key [inPaintingParams] is not permitted"},
    {"titan_text_long", v1, text_image(member("text", letters(536))),
     "Malformed input request: #/textToImageParams/text: expected maxLength: 512, actual: 536, "
     "please reformat your input and try again."},
    {"titan_text_empty", v1, text_image(member("text", "")),
     "#/textToImageParams/text: expected minLength: 1, actual: 0"},
    {"titan_negative_long", v1, text_image(boat + "," + member("negativeText", letters(513))),
     "#/textToImageParams/negativeText: expected maxLength: 512, actual: 513"},
    {"titan_v1_condition", v1, text_image(boat + "," + member("conditionImage", image)),
     "#/textToImageParams: extraneous key [conditionImage] is not permitted"},
    {"titan_style", v2, text_image(boat + "," + member("style", "PHOTOREALISM")),
     "#/textToImageParams: extraneous key [style] is not permitted"},
    {"titan_control", v2, text_image(boat + R"(,"controlStrength":0.5)"),
     "#/textToImageParams: required key [conditionImage] not found"},
    {"titan_control_strength", v2,
     text_image(boat + "," + member("conditionImage", image) + R"(,"controlStrength":1.1)"),
     "#/textToImageParams/controlStrength: 1.1 is not less or equal to 1"},
    {"titan_count", v1, text_image(boat, R"("numberOfImages":6)"),
     "#/imageGenerationConfig/numberOfImages: 6 is not less or equal to 5"},
    {"titan_count_0", v1, text_image(boat, R"("numberOfImages":0)"),
     "#/imageGenerationConfig/numberOfImages: 0 is not greater or equal to 1"},
    {"titan_cfg", v1, text_image(boat, R"("cfgScale":1.0)"),
     "#/imageGenerationConfig/cfgScale: 1.0 is not greater or equal to 1.1"},
    {"titan_seed", v1, text_image(boat, R"("seed":2147483647)"),
     "#/imageGenerationConfig/seed: 2147483647 is not less or equal to 2147483646"},
    {"titan_quality", v1, text_image(boat, member("quality", "best")),
     "#/imageGenerationConfig/quality: best is not a valid enum value"},
    {"titan_size", v1, text_image(boat, R"("width":1000,"height":1000)"),
     "#/imageGenerationConfig: width 1000 and height 1000 are not a supported size"},
    {"titan_half_a_size", v1, text_image(boat, R"("width":512)"),
     "#/imageGenerationConfig: width 512 and height 1024 are not a supported size"},
    {"titan_no_mask", v1, task("INPAINTING", "inPaintingParams", member("image", image)),
     "#/inPaintingParams: required key [maskPrompt] not found, #/inPaintingParams: required key "
     "[maskImage] not found"},
    {"titan_two_masks", v1,
     task("INPAINTING", "inPaintingParams",
          member("image", image) + "," + member("maskPrompt", "a") + "," +
              member("maskImage", mask)),
     "#/inPaintingParams: 2 subschemas matched instead of one"},
    {"titan_mask_size", v1,
     task("INPAINTING", "inPaintingParams",
          member("image", image) + "," + member("maskImage", other_mask)),
     "400 Bad Request: The mask is 32x64 and the image 64x64; they must be of the same size. "},
    {"titan_outpainting_text", v1,
     task("OUTPAINTING", "outPaintingParams",
          member("image", image) + "," + member("maskPrompt", "a")),
     "#/outPaintingParams: required key [text] not found"},
    {"titan_outpainting_mode", v1,
     task("OUTPAINTING", "outPaintingParams",
          boat + "," + member("image", image) + "," + member("maskPrompt", "a") + "," +
              member("outPaintingMode", "FAST")),
     "#/outPaintingParams/outPaintingMode: FAST is not a valid enum value"},
    {"titan_image_base64", v1, task("IMAGE_VARIATION", "imageVariationParams", R"("images":["*"])"),
     "400 Bad Request: The image is not valid base64. "},
    {"titan_image_kind", v1,
     task("IMAGE_VARIATION", "imageVariationParams", "\"images\":[\"" + webp + "\"]"),
     "400 Bad Request: The image is not a PNG or JPEG image. "},
    {"titan_image_cut", v1,
     task("IMAGE_VARIATION", "imageVariationParams",
          "\"images\":[\"" + image.substr(0, image.size() / 8 * 4) + "\"]"),
     "400 Bad Request: The image is damaged or ends too early. "},
    {"titan_image_large", v1,
     task("IMAGE_VARIATION", "imageVariationParams",
          "\"images\":[\"" + in_base64(halves(1409, 1, 0, 0)) + "\"]"),
     "400 Bad Request: Image exceeds max pixels allowed. "},
    {"titan_images_none", v1, task("IMAGE_VARIATION", "imageVariationParams", R"("images":[])"),
     "#/imageVariationParams/images: expected minimum item count: 1, found: 0"},
    {"titan_images_many", v1,
     task("IMAGE_VARIATION", "imageVariationParams", R"("images":["a","a","a","a","a","a"])"),
     "#/imageVariationParams/images: expected maximum item count: 5, found: 6"},
    {"titan_similarity", v1,
     task("IMAGE_VARIATION", "imageVariationParams", R"("images":["a"],"similarityStrength":0.1)"),
     "#/imageVariationParams/similarityStrength: 0.1 is not greater or equal to 0.2"},
    {"titan_color", v2,
     task("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams", boat + R"(,"colors":["red"])"),
     "#/colorGuidedGenerationParams/colors/0: string [red] does not match pattern "
     "^#[0-9a-fA-F]{6}$"},
    {"titan_colors_none", v2,
     task("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams", boat + R"(,"colors":[])"),
     "#/colorGuidedGenerationParams/colors: expected minimum item count: 1, found: 0"},
    {"nova_text", nova, text_image(member("text", letters(1025))),
     "#/textToImageParams/text: expected maxLength: 1024, actual: 1025"},
    {"nova_style", nova, text_image(boat + "," + member("style", "anime")),
     "#/textToImageParams/style: anime is not a valid enum value"},
    {"nova_seed", nova, text_image(boat, R"("seed":858993460)"),
     "#/imageGenerationConfig/seed: 858993460 is not less or equal to 858993459"},
    {"nova_small", nova, text_image(boat, R"("width":304)"),
     "#/imageGenerationConfig/width: 304 is not greater or equal to 320"},
    {"nova_large", nova, text_image(boat, R"("height":4112)"),
     "#/imageGenerationConfig/height: 4112 is not less or equal to 4096"},
    {"nova_multiple", nova, text_image(boat, R"("width":1000)"),
     "#/imageGenerationConfig/width: 1000 is not a multiple of 16"},
    {"nova_aspect", nova, text_image(boat, R"("width":2048,"height":496)"),
     "#/imageGenerationConfig: the aspect ratio of 2048x496 is not between 1:4 and 4:1"},
    {"nova_pixels", nova, text_image(boat, R"("width":2064,"height":2048)"),
     "#/imageGenerationConfig: 2064x2048 has more than 4194304 pixels"},
    {"nova_try_on_mask", nova,
     task("VIRTUAL_TRY_ON", "virtualTryOnParams",
          member("sourceImage", image) + "," + member("referenceImage", image) + "," +
              member("maskType", "GARMENT")),
     "#/virtualTryOnParams: required key [garmentBasedMask] not found"},
    {"nova_try_on_text", nova,
     task("VIRTUAL_TRY_ON", "virtualTryOnParams",
          boat + "," + member("sourceImage", image) + "," + member("referenceImage", image) + "," +
              member("maskType", "PROMPT")),
     "#/virtualTryOnParams: extraneous key [text] is not permitted"},
    {"nova_image_place", nova,
     task("BACKGROUND_REMOVAL", "backgroundRemovalParams", member("image", "*")),
     "#/backgroundRemovalParams/image: the image is not valid base64"},
    {"sdxl_nothing", sdxl, "{}", "#: required key [text_prompts] not found"},
    {"sdxl_prompts", sdxl, R"({"text_prompts":[]})",
     "#/text_prompts: expected minimum item count: 1, found: 0"},
    {"sdxl_text", sdxl, R"({"text_prompts":[{"text":")" + letters(2001) + R"("}]})",
     "#/text_prompts/0/text: expected maxLength: 2000, actual: 2001"},
    {"sdxl_weight", sdxl, R"({"text_prompts":[{"text":"a","weight":"1"}]})",
     "#/text_prompts/0/weight: expected type: Number, found: String"},
    {"sdxl_multiple", sdxl, prompts(R"(,"width":1000)"), "#/width: 1000 is not a multiple of 64"},
    {"sdxl_size", sdxl, prompts(R"(,"width":512,"height":512)"),
     "the allowed dimensions are 1024x1024, 1152x896, 1216x832, 1344x768, 1536x640, 640x1536, "
     "768x1344, 832x1216, 896x1152, but we received 512x512"},
    {"sdxl_cfg", sdxl, prompts(R"(,"cfg_scale":36)"), "#/cfg_scale: 36 is not less or equal to 35"},
    {"sdxl_samples", sdxl, prompts(R"(,"samples":2)"), "#/samples: 2 is not less or equal to 1"},
    {"sdxl_steps", sdxl, prompts(R"(,"steps":9)"), "#/steps: 9 is not greater or equal to 10"},
    {"sdxl_seed", sdxl, prompts(R"(,"seed":4294967296)"),
     "#/seed: 4294967296 is not less or equal to 4294967295"},
    {"sdxl_style", sdxl, prompts(R"(,"style_preset":"baroque")"),
     "#/style_preset: baroque is not a valid enum value"},
    {"sdxl_sampler", sdxl, prompts(R"(,"sampler":"EULER")"),
     "#/sampler: EULER is not a valid enum value"},
    {"sdxl_strength_alone", sdxl, prompts(R"(,"image_strength":0.5)"),
     "#: required key [init_image] not found"},
    {"sdxl_mask_alone", sdxl, with_image("," + member("mask_image", mask)),
     "#: required key [mask_source] not found"},
    {"sdxl_mask_missing", sdxl, with_image(R"(,"mask_source":"MASK_IMAGE_WHITE")"),
     "#: required key [mask_image] not found"},
    {"sdxl_mask_size", sdxl,
     with_image(R"(,"mask_source":"MASK_IMAGE_WHITE",)" + member("mask_image", other_mask)),
     "#/mask_image: the mask is 32x64 and the image 64x64; they must be of the same size"},
    {"sdxl_image", sdxl, prompts(R"(,"init_image":"AAAA")"),
     "#/init_image: the image is not a PNG or JPEG image"},
    {"sdxl_unknown", sdxl, prompts(R"(,"prompt":"a")"),
     "#: extraneous key [prompt] is not permitted"},
    {"sd3_nothing", sd3, "{}", "#: required key [prompt] not found"},
    {"sd3_prompt", sd3, "{" + member("prompt", letters(10001)) + "}",
     "#/prompt: expected maxLength: 10000, actual: 10001"},
    {"sd3_aspect", sd3, R"({"prompt":"a","aspect_ratio":"4:3"})",
     "#/aspect_ratio: 4:3 is not a valid enum value"},
    {"sd3_format", sd3, R"({"prompt":"a","output_format":"gif"})",
     "#/output_format: gif is not a valid enum value"},
    {"sd3_seed", sd3, R"({"prompt":"a","seed":4294967295})",
     "#/seed: 4294967295 is not less or equal to 4294967294"},
    {"sd3_image", sd3, R"({"prompt":"a","mode":"image-to-image","strength":0.5})",
     "#: required key [image] not found"},
    {"sd3_strength", sd3,
     R"({"prompt":"a","mode":"image-to-image",)" + member("image", image) + "}",
     "#: required key [strength] not found"},
    {"sd3_mode", sd3, R"({"prompt":"a",)" + member("image", image) + "}",
     "#: extraneous key [image] is not permitted"},
    {"sd3_both", sd3,
     R"({"prompt":"a","mode":"image-to-image","strength":1,"aspect_ratio":"1:1",)" +
         member("image", image) + "}",
     "#: extraneous key [aspect_ratio] is not permitted"},
    {"sd3_strength_range", sd3, R"({"prompt":"a","mode":"image-to-image","strength":1.5})",
     "#/strength: 1.5 is not less or equal to 1"},
    {"sd3_small", sd3,
     R"({"prompt":"a","mode":"image-to-image","strength":1,)" +
         member("image", in_base64(halves(63, 64, 0, 1))) + "}",
     "#/image: each side of the image must have at least 64 pixels"},
    {"core_image", core, R"({"prompt":"a","image":"x"})",
     "#: extraneous key [image] is not permitted"},
    {"core_mode", core, R"({"prompt":"a","mode":"image-to-image"})",
     "#/mode: image-to-image is not a valid enum value"},
    {"core_webp", core, R"({"prompt":"a","output_format":"webp"})",
     "#/output_format: webp is not a valid enum value"},
    {"ultra_strength", ultra, R"({"prompt":"a","strength":0.5})",
     "#: required key [image] not found"},
    {"no_json", sd3, "prompt",
     "Malformed input request, please reformat your input and try again."},
};

class ImageRefusal : public testing::TestWithParam<Refused> {};

TEST_P(ImageRefusal, IsInTheProvidersWords) {
  const std::string said = refusal(GetParam().model, GetParam().body);
  EXPECT_THAT(said, HasSubstr(GetParam().violation));
  if (!GetParam().violation.starts_with("400") && GetParam().violation.starts_with("#")) {
    EXPECT_THAT(said, testing::StartsWith("Malformed input request: "));
  }
}

INSTANTIATE_TEST_SUITE_P(Bodies, ImageRefusal, testing::ValuesIn(refused),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(TitanImage, ReadsTextAndConfiguration) {
  const auto native =
      parsed(v1,
             text_image(boat + "," + member("negativeText", "fog"),
                        R"("numberOfImages":3,"width":768,"height":1408,"cfgScale":1.1,"seed":0)"))
          .value();
  const DrawingRequest& request = native.request;
  EXPECT_EQ(request.task, DrawingTask::text_to_image);
  EXPECT_EQ(request.prompts, (std::vector<PromptPart>{{"a boat", 1}, {"fog", -1}}));
  EXPECT_EQ(request.count, 3);
  EXPECT_EQ(request.width, 768);
  EXPECT_EQ(request.height, 1408);
  EXPECT_EQ(request.guidance, 1.1);
  EXPECT_EQ(request.seed, 0u);
  const DrawingRequest plain = request_of(v1, text_image(boat));
  EXPECT_EQ(std::pair(plain.width, plain.height), std::pair(1024, 1024));
  EXPECT_EQ(plain.seed, 42u);
  EXPECT_EQ(plain.guidance, 8);
  EXPECT_EQ(plain.count, 1);
}

TEST(TitanImage, BlackIsInsideAMask) {
  const std::string both = member("image", image) + "," + member("maskImage", mask);
  const DrawingRequest inside =
      request_of(v1, task("INPAINTING", "inPaintingParams", both, R"("width":512,"height":512)"));
  EXPECT_EQ(inside.task, DrawingTask::inpaint);
  EXPECT_EQ(inside.mask->change[0], 255) << "black, so inside";
  EXPECT_EQ(inside.mask->change[63], 0);
  EXPECT_EQ(std::pair(inside.width, inside.height), std::pair(64, 64)) << "the source's size";
  const DrawingRequest outside =
      request_of(v1, task("OUTPAINTING", "outPaintingParams", boat + "," + both));
  EXPECT_EQ(outside.task, DrawingTask::outpaint);
  EXPECT_EQ(outside.mask->change[0], 0) << "kept";
  EXPECT_EQ(outside.mask->change[63], 255);
  const DrawingRequest words =
      request_of(v1, task("INPAINTING", "inPaintingParams",
                          member("image", image) + "," + member("maskPrompt", "the boat")));
  EXPECT_EQ(words.mask_prompt, "the boat");
  EXPECT_FALSE(words.mask);
}

TEST(TitanImage, ReadsTheOtherTasks) {
  const DrawingRequest variation = request_of(
      v1, task("IMAGE_VARIATION", "imageVariationParams",
               "\"images\":[\"" + image + "\",\"" + image + R"("],"similarityStrength":0.25)"));
  EXPECT_EQ(variation.task, DrawingTask::image_to_image);
  EXPECT_EQ(variation.sources.size(), 2u);
  EXPECT_EQ(variation.strength, 0.75);
  EXPECT_EQ(variation.width, 1024);
  const DrawingRequest colors =
      request_of(v2, task("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams",
                          boat + R"(,"colors":["#FF8000","#0000ff"])"));
  EXPECT_EQ(colors.task, DrawingTask::color_guided);
  EXPECT_EQ(colors.colors, (std::vector<std::array<std::uint8_t, 3>>{{255, 128, 0}, {0, 0, 255}}));
  const DrawingRequest background =
      request_of(v2, task("BACKGROUND_REMOVAL", "backgroundRemovalParams", member("image", image)));
  EXPECT_EQ(background.task, DrawingTask::background_removal);
  EXPECT_EQ(background.sources[0], halves(64, 64, 10, 200));
  const DrawingRequest condition =
      request_of(v2, text_image(boat + "," + member("conditionImage", image) + "," +
                                member("controlMode", "SEGMENTATION")));
  EXPECT_EQ(condition.control->kind, DrawingControl::Kind::segments);
  EXPECT_EQ(condition.control->strength, 0.7);
}

TEST(NovaCanvas, HasWiderBounds) {
  const DrawingRequest request = request_of(
      nova,
      text_image(boat + "," + member("style", "DESIGN_SKETCH"), R"("width":4096,"height":1024)"));
  EXPECT_EQ(request.width, 4096);
  EXPECT_EQ(request.style, "DESIGN_SKETCH");
  EXPECT_EQ(request.seed, 12u);
  EXPECT_EQ(request.guidance, 6.5);
}

TEST(NovaCanvas, TriesOnWhatAnotherPictureShows) {
  const std::string both = member("sourceImage", image) + "," + member("referenceImage", mask);
  const DrawingRequest garment = request_of(
      nova,
      task("VIRTUAL_TRY_ON", "virtualTryOnParams",
           both + R"(,"maskType":"GARMENT","garmentBasedMask":{"garmentClass":"UPPER_BODY"})"));
  EXPECT_EQ(garment.task, DrawingTask::inpaint);
  EXPECT_EQ(garment.sources.size(), 2u);
  EXPECT_EQ(garment.mask_prompt, "upper body");
  const DrawingRequest masked = request_of(
      nova,
      task("VIRTUAL_TRY_ON", "virtualTryOnParams",
           both + R"(,"maskType":"IMAGE","imageBasedMask":{)" + member("maskImage", mask) + "}"));
  EXPECT_EQ(masked.mask->change[0], 255);
}

TEST(Sdxl, ReadsWeightedPrompts) {
  const auto native =
      parsed(sdxl, R"({"text_prompts":[{"text":"a"},{"text":"b","weight":-1}],"seed":7,"steps":50,
                       "sampler":"K_EULER","style_preset":"anime","cfg_scale":0,
                       "clip_guidance_preset":"NONE","extras":{"x":1},"samples":1})")
          .value();
  EXPECT_EQ(native.request.prompts, (std::vector<PromptPart>{{"a", 1}, {"b", -1}}));
  EXPECT_EQ(native.form.seed, 7u);
  EXPECT_EQ(native.request.steps, 50);
  EXPECT_EQ(native.request.sampler, "K_EULER");
  EXPECT_EQ(native.request.style, "anime");
  EXPECT_EQ(native.request.guidance, 0);
  EXPECT_EQ(request_of(sdxl, prompts()).width, 1024);
  EXPECT_EQ(request_of(sdxl0, prompts()).width, 512);
  EXPECT_EQ(request_of(sdxl0, prompts(R"(,"width":640,"height":384)")).height, 384);
}

TEST(Sdxl, DrawsASeedWhereNoneIsSaid) {
  const auto first = parsed(sdxl, prompts()).value();
  const auto second = parsed(sdxl, prompts(R"(,"seed":0)")).value();
  EXPECT_NE(first.form.seed, 0u);
  EXPECT_NE(first.form.seed, second.form.seed);
  EXPECT_EQ(first.form.seed, first.request.seed);
}

TEST(Sdxl, RedrawsAndMasks) {
  const DrawingRequest redrawn = request_of(sdxl, with_image(R"(,"image_strength":0.75)"));
  EXPECT_EQ(redrawn.task, DrawingTask::image_to_image);
  EXPECT_EQ(redrawn.strength, 0.25);
  EXPECT_EQ(redrawn.width, 64);
  EXPECT_EQ(request_of(sdxl, with_image(R"(,"init_image_mode":"STEP_SCHEDULE",
                                            "step_schedule_start":0.2)"))
                .strength,
            0.2);
  for (const auto& [source, left] : {std::pair{"MASK_IMAGE_WHITE", 0}, {"MASK_IMAGE_BLACK", 255}}) {
    const DrawingRequest masked = request_of(
        sdxl, with_image("," + member("mask_source", source) + "," + member("mask_image", mask)));
    EXPECT_EQ(masked.task, DrawingTask::inpaint);
    EXPECT_EQ(masked.mask->change[0], left) << source;
    EXPECT_EQ(masked.strength, 1);
  }
  EXPECT_EQ(request_of(sdxl, with_image(R"(,"mask_source":"INIT_IMAGE_ALPHA")")).mask->change[0],
            0);
}

TEST(StabilityImage, ReadsAspectFormatAndImage) {
  const auto native =
      parsed(sd35, R"({"prompt":"a","negative_prompt":"b","aspect_ratio":"21:9","seed":5,
                       "output_format":"jpeg"})")
          .value();
  EXPECT_EQ(std::pair(native.request.width, native.request.height), std::pair(1536, 640));
  EXPECT_EQ(native.form.format, media::ImageFormat::jpeg);
  EXPECT_EQ(native.form.seed, 5u);
  const DrawingRequest redrawn =
      request_of(sd3, R"({"prompt":"a","mode":"image-to-image","strength":0.3,)" +
                          member("image", webp) + "}");
  EXPECT_EQ(redrawn.strength, 0.3);
  EXPECT_EQ(redrawn.width, 64);
  EXPECT_EQ(request_of(ultra, R"({"prompt":"a",)" + member("image", image) + "}").strength, 0.35);
  EXPECT_EQ(request_of(core, R"({"prompt":"a","mode":"text-to-image"})").height, 1024);
}

/// The picture that a reply holds.
Picture picture_in(const json::value& encoded) {
  return media::decode_picture(base64_bytes(encoded.as_string()).value(), 1 << 20).value();
}

TEST(ImageReplies, HaveTheirProvidersForm) {
  Drawings made;
  made.pictures = {halves(8, 4, 1, 2), halves(8, 4, 3, 4)};
  made.mask = media::Mask{1, 2, {255, 0}};
  const DrawingForm inpainting{DrawingTask::inpaint, 9, media::ImageFormat::png, true};
  const auto titan = titan_image.render({inpainting, made, "", {}});
  EXPECT_EQ(titan.content_type, "application/json");
  const json::value reply = json::parse(titan.body).value();
  EXPECT_THAT(titan.body, testing::StartsWith("{\"images\":[\""));
  EXPECT_THAT(titan.body, testing::EndsWith(",\"error\":null}"));
  EXPECT_EQ(picture_in(reply.at("images").at(1)), made.pictures[1]);
  EXPECT_EQ(picture_in(reply.at("maskImage")).rgba,
            (std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255, 255, 255}));
  const DrawingForm plain{DrawingTask::text_to_image, 9, media::ImageFormat::jpeg, false};
  EXPECT_EQ(titan_image.render({plain, made, "", {}}).body.find("maskImage"), std::string::npos);

  const json::value stable =
      json::parse(stability_image.render({plain, made, "", {}}).body).value();
  EXPECT_EQ(json::to_text(stable.at("seeds")), "[9,10]");
  EXPECT_EQ(json::to_text(stable.at("finish_reasons")), "[null,null]");
  EXPECT_EQ(media::image_info(base64_bytes(stable.at("images").at(0).as_string()).value())->format,
            media::ImageFormat::jpeg);

  made.pictures.pop_back();
  const json::value sdxl_reply =
      json::parse(stability_sdxl.render({plain, made, "application/json", {}}).body).value();
  EXPECT_EQ(sdxl_reply.at("result").as_string(), "success");
  const json::value& artifact = sdxl_reply.at("artifacts").at(0);
  EXPECT_EQ(artifact.at("seed").as_int64(), 9);
  EXPECT_EQ(artifact.at("finishReason").as_string(), "SUCCESS");
  EXPECT_EQ(picture_in(artifact.at("base64")), made.pictures[0]);
}

TEST(ImageReplies, HoldFilesAsTheyAreWhereTheFormatIsRight) {
  const Picture picture = halves(8, 4, 1, 2);
  Drawings made;
  made.files = {
      {media::ImageFormat::png, media::encode_picture(picture, media::ImageFormat::png)},
      {media::ImageFormat::webp, media::encode_picture(picture, media::ImageFormat::webp)}};
  const DrawingForm form{DrawingTask::text_to_image, 9, media::ImageFormat::webp, false};
  const json::value reply = json::parse(stability_image.render({form, made, "", {}}).body).value();
  EXPECT_EQ(json::to_text(reply.at("seeds")), "[9,10]");
  const json::array& images = reply.at("images").as_array();
  EXPECT_EQ(base64_bytes(images.at(1).as_string()), made.files[1].bytes);
  EXPECT_EQ(media::image_info(base64_bytes(images.at(0).as_string()).value())->format,
            media::ImageFormat::webp);
  const DrawingForm plain{DrawingTask::text_to_image, 9, media::ImageFormat::png, false};
  EXPECT_EQ(stability_sdxl.render({plain, made, "image/png", {}}).body, made.files[0].bytes);
}

TEST(ImageReplies, OfSdxlAreFilesWhereTheCallerWantsThem) {
  Drawings made;
  made.pictures = {halves(8, 4, 1, 2)};
  const DrawingForm form{DrawingTask::text_to_image, 9, media::ImageFormat::png, false};
  const auto file = stability_sdxl.render({form, made, "image/png", {}});
  EXPECT_EQ(file.content_type, "image/png");
  EXPECT_EQ(media::decode_picture(file.body, 1 << 20).value(), made.pictures[0]);
  EXPECT_EQ(file.headers.front(), std::pair(std::string("Finish-Reason"), std::string("SUCCESS")));
  EXPECT_EQ(file.headers.back(), std::pair(std::string("Seed"), std::string("9")));
}

}  // namespace
}  // namespace craton::families
