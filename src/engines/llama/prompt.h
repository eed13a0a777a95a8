// Prompt: what a sequence computes before it answers: tokens, with images among them.
//
//   cells       T  T  T [I  I  I  I] T  T        places in the KV cache; the scheduler counts these
//   positions   0  1  2 [3 ... 4   ] 5  6        what the model counts; with M-RoPE an image takes
//                                                fewer positions than cells
//
// Without images a cell is a position. No I/O.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engines/llama/decoder.h"
#include "engines/llama/image_piece.h"

namespace craton::engines::llama {

class Prompt {
 public:
  struct Image {
    int begin;  ///< Its first cell.
    std::shared_ptr<const ImagePiece> piece;

    int end() const { return begin + piece->cells; }
  };

  Prompt() = default;
  Prompt(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}  // text is a prompt as it is

  void add(std::span<const Token> tokens);
  /// Tokens, or embeddings with at least one cell.
  void add(ImagePiece piece);

  /// A token for each cell; the cells of images hold `in_image`.
  const std::vector<Token>& tokens() const { return tokens_; }
  static constexpr Token in_image = -1;

  int cells() const { return static_cast<int>(tokens_.size()); }
  bool has_images() const { return !images_.empty(); }
  const std::vector<Image>& images() const { return images_; }

  /// False: nothing says what is to follow, for want of a token at the end.
  bool ends_with_token() const { return !tokens_.empty() && tokens_.back() != in_image; }

  /// Of a cell of the prompt or of what comes after it. Of all cells of an image: where it begins.
  int position_of(int cell) const;

  /// The image that begins at `cell`, or after it; null when none does.
  const Image* image_from(int cell) const;

 private:
  std::vector<Token> tokens_;
  std::vector<Image> images_;  ///< In order.
};

}  // namespace craton::engines::llama
