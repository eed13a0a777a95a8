#include "families/image_family.h"

#include <algorithm>
#include <array>

namespace craton::families {
namespace {

constexpr std::array rows{&titan_image, &nova_canvas, &stability_sdxl, &stability_image};

}  // namespace

std::span<const ImageFamily* const> all_image_families() { return rows; }

const ImageFamily* image_family_of(std::string_view model_id) {
  const auto row = std::ranges::find_if(rows, [model_id](const ImageFamily* family) {
    return std::ranges::any_of(family->id_prefixes, [model_id](std::string_view prefix) {
      return model_id.starts_with(prefix);
    });
  });
  return row == rows.end() ? nullptr : *row;
}

}  // namespace craton::families
