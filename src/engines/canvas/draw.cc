#include "engines/canvas/draw.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "engines/canvas/composition.h"
#include "engines/canvas/edits.h"
#include "engines/canvas/palette.h"

namespace craton::engines::canvas {
namespace {

constexpr Rgb light_ink{255, 255, 255};
constexpr Rgb faint_ink{205, 210, 216};
constexpr Rgb dark_ink{40, 38, 44};
constexpr Rgb panel_color{16, 20, 28};

/// 0 to 256 of 0 to 1.
int share_of(double strength) {
  return static_cast<int>(std::lround(std::clamp(strength, 0.0, 1.0) * 256));
}

/// What is to be seen.
std::string wanted_words(const DrawingRequest& request) {
  std::string words;
  for (const PromptPart& part : request.prompts) {
    if (part.weight < 0) continue;
    if (!words.empty()) words += ", ";
    words += part.text;
  }
  return words;
}

/// The start of all that is chosen.
std::uint64_t start_of(const DrawingRequest& request, std::uint64_t seed) {
  std::uint64_t start = number_of(request.style, seed);
  for (const PromptPart& part : request.prompts) {
    start = number_of(part.text, start + (part.weight < 0 ? 1 : 0));
  }
  return start;
}

/// What all pictures of a request have alike.
struct Scene {
  const DrawingRequest& request;
  std::string words;
  std::optional<Mask> mask;
  Box seen;   ///< Where what is drawn can be seen,
  Box clear;  ///< and where, whatever the mask's form, most of it.
};

/// The words on a panel at the bottom of what can be seen, and the seed under them.
void write_words(const Scene& scene, std::uint64_t seed, Lettering& lettering, Picture& picture) {
  if (scene.words.empty()) return;
  const Box& seen = scene.clear;
  const int side = std::min(seen.width, seen.height);
  const int margin = std::max(1, side / 32);
  const Box most{seen.x + 2 * margin, 0, seen.width - 4 * margin, seen.height * 2 / 5};
  const SetText text = lettering.fitted(scene.words, most, std::max(9, side / 10));
  if (text.lines.empty()) return;
  const Box foot{most.x, 0, most.width, std::max(10, side / 28)};
  const SetText note =
      lettering.fitted("canvas, seed " + std::to_string(seed), foot, std::max(9, side / 36));
  const int height = text.height() + note.height() + 2 * margin;
  const Box panel{seen.x + margin, seen.y + seen.height - margin - height, seen.width - 2 * margin,
                  height};
  lay_panel(panel, panel_color, 190, picture);
  const Box words{most.x, panel.y + margin, most.width, text.height()};
  lettering.write(text, words, light_ink, picture);
  const Box below{most.x, words.y + text.height(), most.width, note.height()};
  lettering.write(note, below, faint_ink, picture);
}

void apply_style(std::string_view style, Picture& picture) {
  const Treatment treatment = treatment_of(style);
  if (treatment != Treatment::ink) return treat(treatment, picture);
  const Picture before = picture;
  treat(treatment, picture);
  follow_edges(before, dark_ink, 256, picture);
}

/// What the words alone give: without sources and masks.
Picture picture_of_words(const Scene& scene, std::uint64_t seed, Lettering& lettering) {
  const DrawingRequest& request = scene.request;
  Numbers numbers(start_of(request, seed));
  const Palette palette =
      request.colors.empty() ? chosen_palette(numbers) : palette_of(request.colors);
  Picture picture = composed(request.width, request.height, palette, numbers);
  if (request.task == DrawingTask::color_guided && !request.sources.empty()) {
    follow_light(covering(request.sources.front(), request.width, request.height), request.colors,
                 150, picture);
  }
  apply_style(request.style, picture);
  if (request.control) {
    const Picture control = covering(request.control->picture, request.width, request.height);
    const int share = share_of(request.control->strength);
    request.control->kind == DrawingControl::Kind::edges
        ? follow_edges(control, light_ink, share, picture)
        : follow_segments(control, palette, share, picture);
  }
  write_words(scene, seed, lettering, picture);
  return picture;
}

Picture redraw(const Scene& scene, std::uint64_t seed, Lettering& lettering) {
  const DrawingRequest& request = scene.request;
  Picture base = covering(request.sources.front(), request.width, request.height);
  for (std::size_t i = 1; i < request.sources.size(); ++i) {
    const Picture more = covering(request.sources[i], request.width, request.height);
    blend(more, 256 / static_cast<int>(i + 1), base);
  }
  if (const int share = share_of(request.strength); share > 0) {
    blend(picture_of_words(scene, seed, lettering), share, base);
  }
  return base;
}

/// `picture` where `box` is, on a picture of `width` x `height`.
Picture placed(const Picture& picture, const Box& box, int width, int height) {
  Picture made{width, height,
               std::vector<std::uint8_t>(static_cast<std::size_t>(width) *
                                         static_cast<std::size_t>(height) * 4)};
  if (box.width == 0) return made;
  const Picture fitting = covering(picture, box.width, box.height);
  for (int y = 0; y < box.height; ++y) {
    std::copy_n(pixel_at(fitting, 0, y), box.width * 4, pixel_at(made, box.x, box.y + y));
  }
  return made;
}

/// What comes where the mask lets it.
Picture filling(const Scene& scene, std::uint64_t seed, Lettering& lettering) {
  const DrawingRequest& request = scene.request;
  if (request.sources.size() > 1) {
    return placed(request.sources[1], scene.seen, request.width, request.height);
  }
  if (scene.words.empty()) return filled_in(request.sources.front(), *scene.mask);
  return picture_of_words(scene, seed, lettering);
}

Picture paint(const Scene& scene, std::uint64_t seed, Lettering& lettering) {
  const DrawingRequest& request = scene.request;
  return masked(request.sources.front(), filling(scene, seed, lettering), *scene.mask,
                share_of(request.strength));
}

Picture cut_out(const Scene& scene, std::uint64_t, Lettering&) {
  Picture picture = scene.request.sources.front();
  remove_background(picture);
  return picture;
}

using DrawOne = Picture (*)(const Scene& scene, std::uint64_t seed, Lettering& lettering);

struct Task {
  DrawingTask task;
  DrawOne draw;
};
constexpr std::array tasks{
    Task{DrawingTask::text_to_image, picture_of_words},
    Task{DrawingTask::image_to_image, redraw},
    Task{DrawingTask::inpaint, paint},
    Task{DrawingTask::outpaint, paint},
    Task{DrawingTask::color_guided, picture_of_words},
    Task{DrawingTask::background_removal, cut_out},
};
constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (static_cast<std::size_t>(tasks[i].task) != i) return false;
  }
  return tasks.size() == static_cast<std::size_t>(DrawingTask::background_removal) + 1;
}
static_assert(in_enum_order(), "one row per DrawingTask, in its order");

/// What a round mask shows of its box too.
Box middle_of(const Box& box) {
  const int across = box.width / 7;
  const int down = box.height / 7;
  return {box.x + across, box.y + down, box.width - 2 * across, box.height - 2 * down};
}

/// The mask that is asked for, in pixels or words.
std::optional<Mask> used_mask(const DrawingRequest& request) {
  if (request.mask || request.mask_prompt.empty()) return request.mask;
  Mask mask = mask_of_words(request.mask_prompt, request.width, request.height);
  if (request.task == DrawingTask::outpaint) turn(mask);
  return mask;
}

}  // namespace

std::optional<Drawings> draw(const DrawingRequest& request, Lettering& lettering,
                             const std::function<bool()>& stopped) {
  const Box whole{0, 0, request.width, request.height};
  Scene scene{request, wanted_words(request), used_mask(request), whole, whole};
  if (scene.mask) {
    scene.seen = changed_box(*scene.mask);
    scene.clear = middle_of(scene.seen);
  }
  Drawings drawings{.pictures = {}, .mask = scene.mask, .stand_in = "drawn without a model"};
  const DrawOne draw_one = tasks[static_cast<std::size_t>(request.task)].draw;
  for (int i = 0; i < request.count; ++i) {
    if (stopped()) return std::nullopt;
    drawings.pictures.push_back(
        draw_one(scene, request.seed + static_cast<std::uint64_t>(i), lettering));
  }
  return drawings;
}

}  // namespace craton::engines::canvas
