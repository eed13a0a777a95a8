#include "engines/llama/prompt.h"

#include <algorithm>
#include <utility>

namespace craton::engines::llama {

void Prompt::add(std::span<const Token> tokens) {
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
}

void Prompt::add(ImagePiece piece) {
  if (!piece.tokens.empty()) return add(piece.tokens);
  if (piece.cells <= 0) return;
  const int begin = cells();
  tokens_.insert(tokens_.end(), static_cast<std::size_t>(piece.cells), in_image);
  images_.push_back({begin, std::make_shared<const ImagePiece>(std::move(piece))});
}

int Prompt::position_of(int cell) const {
  int position = cell;
  for (const Image& image : images_) {
    if (cell < image.end()) return cell > image.begin ? position - (cell - image.begin) : position;
    position += image.piece->positions - image.piece->cells;
  }
  return position;
}

const Prompt::Image* Prompt::image_from(int cell) const {
  const auto next =
      std::ranges::find_if(images_, [cell](const Image& image) { return image.begin >= cell; });
  return next == images_.end() ? nullptr : &*next;
}

}  // namespace craton::engines::llama
