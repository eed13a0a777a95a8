// A text encoder of a few numbers, in the files that its makers would publish. For tests only.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/bert_gguf.h"

namespace craton::models {

/// A safetensors file of such tensors.
class TensorFile {
 public:
  void add(const std::string& name, const std::vector<std::uint64_t>& shape, float number = 0.5F) {
    std::uint64_t count = 1;
    std::string sizes;
    for (const std::uint64_t each : shape) {
      count *= each;
      sizes += (sizes.empty() ? "" : ",") + std::to_string(each);
    }
    const std::size_t begin = data_.size();
    for (std::uint64_t i = 0; i < count; ++i) append(number);
    header_ += (header_.empty() ? "\"" : ",\"") + name + R"(":{"dtype":"F32","shape":[)" + sizes +
               "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data_.size()) +
               "]}";
  }

  std::string text() const { return file_of("{" + header_ + "}", data_); }

  static std::string file_of(const std::string& header, const std::string& data) {
    std::string file;
    for (int i = 0; i < 8; ++i) {
      file += static_cast<char>(static_cast<unsigned char>(header.size() >> (8 * i)));
    }
    return file + header + data;
  }

 private:
  void append(float number) {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    for (int i = 0; i < 4; ++i)
      data_ += static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
  }

  std::string header_;
  std::string data_;
};

/// One layer, four numbers wide, of eleven tokens.
inline SentenceTransformer tiny_encoder() {
  TensorFile weights;
  const std::string layer = "encoder.layer.0.";
  weights.add("embeddings.word_embeddings.weight", {11, 4}, 0.25F);
  weights.add("embeddings.position_embeddings.weight", {8, 4});
  weights.add("embeddings.token_type_embeddings.weight", {2, 4});
  for (const char* place : {"attention.self.query", "attention.self.key", "attention.self.value",
                            "attention.output.dense"}) {
    weights.add(layer + place + ".weight", {4, 4});
    weights.add(layer + place + ".bias", {4});
  }
  weights.add(layer + "intermediate.dense.weight", {8, 4});
  weights.add(layer + "intermediate.dense.bias", {8});
  weights.add(layer + "output.dense.weight", {4, 8});
  weights.add(layer + "output.dense.bias", {4});
  for (const std::string& norm :
       {std::string("embeddings."), layer + "attention.output.", layer + "output."}) {
    weights.add(norm + "LayerNorm.weight", {4});
    weights.add(norm + "LayerNorm.bias", {4});
  }
  return {.config =
              R"({"model_type":"bert","hidden_act":"gelu","hidden_size":4,"intermediate_size":8,)"
              R"("layer_norm_eps":1e-12,"max_position_embeddings":8,"num_attention_heads":2,)"
              R"("num_hidden_layers":1,"type_vocab_size":2})",
          .tokenizer = R"({"normalizer":{"lowercase":true},"model":{"type":"WordPiece","vocab":{)"
                       R"("[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5,"b":6,"c":7,)"
                       R"("##a":8,"##b":9,"##c":10}}})",
          .pooling = R"({"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true})",
          .sequence = R"({"max_seq_length":6})",
          .prompts = R"({"prompts":{"query":"a "}})",
          .weights = weights.text()};
}

}  // namespace craton::models
