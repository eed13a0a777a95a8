// What rules declare beside text: vectors, scores of documents, pictures. docs/script.md describes
// them.
//
//   answer: {embedding: hash}                  answer: {image: boat.png}
//   answer: {embedding: [0.1, 0.2, 0.3]}       answer: {image: [boat.png, pond.webp]}
//   answer: {embedding: {file: vectors.json}}  answer: {image: canvas}
//   answer: {scores: [0.9, 0.2]}
//
// Immutable once read: any function may be called from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "conversation/drawing.h"
#include "conversation/embedding.h"
#include "engines/rules/value.h"

namespace craton::engines::script {

/// Of a picture that rules name.
inline constexpr std::uint64_t picture_pixels_max = 4096 * 4096;

struct DeclaredVectors {
  bool hashed = false;  ///< Made of each item, in place of `each`.
  /// One for every item; or, where `listed`, the n-th for the n-th item. All of one size, and
  /// finite.
  std::vector<std::vector<float>> each = {};
  bool listed = false;
};

struct DeclaredPictures {
  bool drawn = false;  ///< By canvas, in place of `files`.
  /// One for every picture; or, where `listed`, the n-th for the n-th picture.
  std::vector<PictureFile> files = {};
  bool listed = false;
};

// Readers fail with `validation`: file, line, what is wrong. Files are looked for in
// `source.folder`, and checked.

Result<DeclaredVectors> read_vectors(const rules::Source& source, const rules::Value& value);

/// From 0 to 1 each.
Result<std::vector<float>> read_scores(const rules::Source& source, const rules::Value& value);

Result<DeclaredPictures> read_pictures(const rules::Source& source, const rules::Value& value);

// What they give to a request. They fail with `model_error` when they have not what it asks for: a
// test is wrong then, and the message says how. Tokens are counted by the rule of tokens.h.

/// Vectors that are shorter than the request's dimension are filled up with zeros, which changes no
/// angle and no length; longer ones are refused. Of a ranking, which has no dimension, hashed ones.
Result<Embeddings> vectors_for(const DeclaredVectors& declared, const EmbeddingRequest& request);

Result<Embeddings> scores_for(const std::vector<float>& declared, const EmbeddingRequest& request);

/// Files as they are, of whatever size.
Result<Drawings> pictures_for(const DeclaredPictures& declared, const DrawingRequest& request);

}  // namespace craton::engines::script
