// ImagePiece: what stands for an image in a prompt, as an ImageEncoder makes it.
//
// Plain values.
#pragma once

#include <memory>
#include <vector>

#include "engines/llama/decoder.h"

struct mtmd_input_chunk;

namespace craton::engines::llama {

/// Tokens, or embeddings and where they stand.
struct ImagePiece {
  std::vector<Token> tokens = {};  ///< Empty for embeddings.
  int cells = 0;                   ///< Of the KV cache that it takes.
  int positions = 0;               ///< By which what follows stands further; M-RoPE: not `cells`.
  std::vector<float> embeddings = {};  ///< `cells` × the model's width; none from measure().
  /// mtmd's description of the embeddings' places; null for tokens.
  std::shared_ptr<const mtmd_input_chunk> places = nullptr;
};

struct ImagePieces {
  std::vector<ImagePiece> pieces;

  int cells() const;
  int positions() const;
};

}  // namespace craton::engines::llama
