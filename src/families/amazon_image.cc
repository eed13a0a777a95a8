#include "families/amazon_image.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <utility>

namespace craton::families {
namespace {

/// A side that the body leaves out, pixels.
constexpr int side_default = 1024;

std::string under(std::string_view place, std::string_view name) {
  return std::string(place) + "/" + std::string(name);
}

Error missing(std::string_view place, std::string_view name) {
  return violation(std::string(place) + ": required key [" + std::string(name) + "] not found");
}

void read_prompts(const json::object& params, DrawingRequest& request) {
  add_prompt(text_member(params, "text"), 1, request);
  add_prompt(text_member(params, "negativeText"), -1, request);
}

Result<void> read_condition(const json::object& params, std::string_view place,
                            const AmazonImageRules& rules, DrawingRequest& request) {
  const bool controls = params.contains("controlMode") || params.contains("controlStrength");
  if (!params.contains("conditionImage")) {
    if (controls) return missing(place, "conditionImage");
    return {};
  }
  DrawingControl control;
  CRATON_TRY_ASSIGN(control.picture, amazon_picture(params, "conditionImage", place, rules));
  control.strength = number_member(params, "controlStrength").value_or(control.strength);
  if (text_member(params, "controlMode") == "SEGMENTATION") {
    control.kind = DrawingControl::Kind::segments;
  }
  request.control = std::move(control);
  return {};
}

Result<void> read_text_image(const json::object& params, std::string_view place,
                             const AmazonImageRules& rules, NativeDrawing& native) {
  read_prompts(params, native.request);
  native.request.style = text_member(params, "style");
  return read_condition(params, place, rules, native.request);
}

/// The picture that is changed; the drawing is of its size.
Result<void> read_source(const json::object& params, std::string_view name, std::string_view place,
                         const AmazonImageRules& rules, NativeDrawing& native) {
  CRATON_TRY_ASSIGN(Picture source, amazon_picture(params, name, place, rules));
  take_size(source, native.request);
  native.request.sources.push_back(std::move(source));
  return {};
}

Result<void> read_painting(const json::object& params, std::string_view place,
                           const AmazonImageRules& rules, NativeDrawing& native) {
  read_prompts(params, native.request);
  const bool words = params.contains("maskPrompt");
  const bool picture = params.contains("maskImage");
  if (words && picture) {
    return violation(std::string(place) + ": 2 subschemas matched instead of one");
  }
  if (!words && !picture) {
    return violation(std::string(place) + ": required key [maskPrompt] not found, " +
                     std::string(place) + ": required key [maskImage] not found");
  }
  CRATON_TRY(read_source(params, "image", place, rules, native));
  native.form.return_mask = asks(params, "returnMask");
  native.request.mask_prompt = text_member(params, "maskPrompt");
  if (!picture) return {};
  return read_amazon_mask(params, place, rules, native);
}

Result<void> read_variation(const json::object& params, std::string_view place,
                            const AmazonImageRules& rules, NativeDrawing& native) {
  read_prompts(params, native.request);
  constexpr double similarity = 0.7;
  native.request.strength = 1 - number_member(params, "similarityStrength").value_or(similarity);
  const json::array& images = params.at("images").get_array();
  for (std::size_t i = 0; i < images.size(); ++i) {
    CRATON_TRY_ASSIGN(Picture source, read_picture(images[i].get_string(), rules.pictures,
                                                   under(place, "images/" + std::to_string(i))));
    native.request.sources.push_back(std::move(source));
  }
  return {};
}

std::array<std::uint8_t, 3> color_of(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data() + 1, text.data() + text.size(), number, 16);
  return {static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
          static_cast<std::uint8_t>(number)};
}

Result<void> read_colors(const json::object& params, std::string_view place,
                         const AmazonImageRules& rules, NativeDrawing& native) {
  read_prompts(params, native.request);
  for (const std::string& color : texts_member(params, "colors")) {
    native.request.colors.push_back(color_of(color));
  }
  if (!params.contains("referenceImage")) return {};
  CRATON_TRY_ASSIGN(Picture source, amazon_picture(params, "referenceImage", place, rules));
  native.request.sources.push_back(std::move(source));
  return {};
}

Result<void> read_background(const json::object& params, std::string_view place,
                             const AmazonImageRules& rules, NativeDrawing& native) {
  native.request.count = 1;
  return read_source(params, "image", place, rules, native);
}

constexpr std::array common_tasks{
    AmazonTask{"TEXT_IMAGE", "textToImageParams", DrawingTask::text_to_image, read_text_image},
    AmazonTask{"INPAINTING", "inPaintingParams", DrawingTask::inpaint, read_painting},
    AmazonTask{"OUTPAINTING", "outPaintingParams", DrawingTask::outpaint, read_painting},
    AmazonTask{"IMAGE_VARIATION", "imageVariationParams", DrawingTask::image_to_image,
               read_variation},
    AmazonTask{"COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams", DrawingTask::color_guided,
               read_colors},
    AmazonTask{"BACKGROUND_REMOVAL", "backgroundRemovalParams", DrawingTask::background_removal,
               read_background},
};

/// The schema has let only names of tasks pass.
const AmazonTask& task_of(std::string_view name, const AmazonImageRules& rules) {
  const auto named = [name](const AmazonTask& task) { return task.name == name; };
  const auto row = std::ranges::find_if(common_tasks, named);
  return row != common_tasks.end() ? *row : *std::ranges::find_if(rules.more_tasks, named);
}

Result<void> read_config(const json::object& config, const AmazonImageRules& rules,
                         NativeDrawing& native) {
  DrawingRequest& request = native.request;
  request.width = integer_member(config, "width").value_or(side_default);
  request.height = integer_member(config, "height").value_or(side_default);
  CRATON_TRY(rules.check_size(request.width, request.height));
  request.count = integer_member(config, "numberOfImages").value_or(1);
  request.guidance = number_member(config, "cfgScale").value_or(rules.guidance);
  const std::optional<std::uint32_t> seed = seed_member(config, "seed");
  request.seed = seed ? *seed : rules.seed;
  return {};
}

}  // namespace

bool amazon_image::is_color(std::string_view text) {
  return text.size() == 7 && text.starts_with('#') &&
         std::ranges::all_of(text.substr(1), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::span<const AmazonTask> common_amazon_tasks() { return common_tasks; }

Result<Picture> amazon_picture(const json::object& params, std::string_view name,
                               std::string_view place, const AmazonImageRules& rules) {
  return read_picture(text_member(params, name), rules.pictures, under(place, name));
}

Result<void> read_amazon_mask(const json::object& params, std::string_view place,
                              const AmazonImageRules& rules, NativeDrawing& native) {
  DrawingRequest& request = native.request;
  CRATON_TRY_ASSIGN(const Picture mask, amazon_picture(params, "maskImage", place, rules));
  CRATON_TRY(
      check_mask_size(mask, request.sources.front(), rules.pictures, under(place, "maskImage")));
  request.mask =
      mask_of(mask, request.task == DrawingTask::outpaint ? MaskOf::white : MaskOf::black);
  return {};
}

Result<NativeDrawing> read_amazon_image(const json::object& body, const AmazonImageRules& rules) {
  const AmazonTask& task = task_of(text_member(body, "taskType"), rules);
  NativeDrawing native;
  native.request.task = native.form.task = task.task;
  const json::value* config = body.if_contains("imageGenerationConfig");
  CRATON_TRY(read_config(config ? config->get_object() : json::object(), rules, native));
  CRATON_TRY(
      task.read(body.at(task.params).get_object(), "#/" + std::string(task.params), rules, native));
  native.form.seed = native.request.seed;
  return native;
}

RenderedDrawing render_amazon_image(const DrawingReply& reply) {
  std::string body = "{\"images\":";
  append_pictures(reply, body);
  if (reply.form.return_mask && reply.made.mask) {
    const bool outpaints = reply.form.task == DrawingTask::outpaint;
    body += ",\"maskImage\":";
    append_picture(picture_of(*reply.made.mask, outpaints ? MaskOf::white : MaskOf::black),
                   media::ImageFormat::png, reply.texts, body);
  }
  body += ",\"error\":null}";
  return {.body = std::move(body)};
}

}  // namespace craton::families
