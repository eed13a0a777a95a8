// A text encoder of the BERT kind, from the files that its makers publish (sentence-transformers'
// layout, weights in safetensors) to one GGUF file that llama.cpp loads.
//
// The same files always give the same bytes, so that the result has a checksum. Matrices are stored
// in half precision; what is small, or looked up by position, stays as it is.
// Source: llama.cpp's conversion/bert.py (names and keys), sentence-transformers (pooling, prompts)
//
// No I/O, no globals.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace craton::models {

/// Files of a sentence-transformers model, as text.
struct SentenceTransformer {
  std::string config;     ///< config.json
  std::string tokenizer;  ///< tokenizer.json: a WordPiece vocabulary
  std::string pooling;    ///< 1_Pooling/config.json
  std::string sequence;   ///< sentence_bert_config.json; may be empty
  std::string prompts;    ///< config_sentence_transformers.json; may be empty
  std::string weights;    ///< model.safetensors
};

/// What the file says of itself.
struct ModelTitle {
  std::string name;
  std::string license;
};

/// Gives the GGUF file to `put`, piece by piece. Keys of our own: `craton.sequence_tokens`, the
/// longest text that the model was made for, and `craton.prompt.query` and `.document`, what its
/// makers put before such texts.
/// Fails with `validation` when the files are of another kind of model, or lack something.
Result<void> write_bert_gguf(const SentenceTransformer& files, const ModelTitle& title,
                             const std::function<Result<void>(std::string_view piece)>& put);

}  // namespace craton::models
