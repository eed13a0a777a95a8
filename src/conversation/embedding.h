// What is asked of a text encoder, and what it gives: texts in, vectors out. The provider's native
// schemas of embedding and reranking models are mappings onto it.
//
// Plain values: no I/O, no threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conversation/conversation.h"

namespace craton {

/// What a text is for. Encoders that were made for it read a question otherwise than what may
/// answer it.
enum class TextRole { any, query, document };

/// What becomes of a text that is too long.
enum class Truncation {
  refused,
  start,  ///< Its beginning is left out,
  end,    ///< or its end.
};

/// What one vector is made of: a text, an image, or both.
struct EmbeddingItem {
  std::optional<std::string> text = std::nullopt;  ///< UTF-8
  std::optional<ImageBlock> image = std::nullopt;
  TextRole role = TextRole::any;

  friend bool operator==(const EmbeddingItem&, const EmbeddingItem&) = default;
};

enum class EmbeddingTask {
  embed,
  /// How well each item but the first answers the first.
  rank,
};

struct EmbeddingRequest {
  std::vector<EmbeddingItem> items;
  EmbeddingTask task = EmbeddingTask::embed;
  Truncation truncation = Truncation::refused;
  std::optional<int> tokens_max = std::nullopt;  ///< Of one text; absent: no limit.
  /// Numbers that the caller's vectors have; 0: the answer has no vectors. An encoder may give
  /// vectors of any dimension: they are mapped.
  int dimension = 0;

  friend bool operator==(const EmbeddingRequest&, const EmbeddingRequest&) = default;
};

/// What one item gave.
struct EmbeddingVector {
  std::vector<float> values;  ///< As the encoder gives them: of any length but zero, and finite.
  int tokens = 0;             ///< Of the item's text, as far as it was read.
};

struct Embeddings {
  /// One for each item, in order, all of one dimension; where `scores` is true, one number for each
  /// item but the first.
  std::vector<EmbeddingVector> vectors;
  /// The encoder was made for ranking: its numbers are logits of "this answers it".
  bool scores = false;
  /// Somebody declared the numbers, with the dimension that was asked for: they are given as they
  /// are, neither mapped nor normalised; scores are relevances from 0 to 1, no logits.
  bool declared = false;
};

}  // namespace craton
