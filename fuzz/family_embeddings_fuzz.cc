// Bodies of embedding and reranking models: each is read and answered, or refused in words that can
// be sent. The first byte chooses the model.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "families/embedding_family.h"

namespace craton {
namespace {

constexpr std::string_view model_ids[] = {
    "amazon.titan-embed-text-v1",  "amazon.titan-embed-text-v2:0",
    "amazon.titan-embed-image-v1", "cohere.embed-english-v3",
    "cohere.embed-v4:0",           "amazon.nova-2-multimodal-embeddings-v1:0",
    "cohere.rerank-v3-5:0",        "amazon.rerank-v1:0",
};

/// What an encoder of `size` numbers might give.
Embeddings embeddings_of(const families::NativeEmbedding& native, std::size_t size, bool scores) {
  Embeddings made{.scores = scores};
  const std::size_t first = scores ? 1 : 0;
  for (std::size_t i = first; i < native.request.items.size(); ++i) {
    std::vector<float> values(size);
    for (std::size_t k = 0; k < size; ++k) values[k] = static_cast<float>(i + k) - 3;
    made.vectors.push_back({std::move(values), static_cast<int>(i)});
  }
  return made;
}

void check(std::string_view model_id, std::string_view body) {
  const families::ModelContext model{model_id, 512, std::nullopt, false};
  const families::EmbeddingFamily& family = *families::embedding_family_of(model_id);
  auto native = family.parse(model, body);
  if (!native) {
    const Error& error = native.error();
    if (error.code != ErrorCode::validation || !json::parse(json::quote(error.message))) {
      std::abort();
    }
    return;
  }
  const EmbeddingRequest& request = native->request;
  const bool ranks = request.task == EmbeddingTask::rank;
  if (request.items.size() < (ranks ? 2u : 1u) || (!ranks && native->request.dimension < 1))
    std::abort();
  for (const EmbeddingItem& item : request.items) {
    if (!item.text && !item.image) std::abort();
  }
  native->request.dimension =
      std::min(native->request.dimension, 16);  // quicker, and the same code
  for (const bool scores : {false, true}) {
    if (scores && !ranks) continue;
    const Embeddings made = embeddings_of(*native, scores ? 1 : 8, scores);
    const auto reply = family.render({model, *native, made, "id"});
    if (!json::parse(reply.body)) std::abort();
  }
}

}  // namespace
}  // namespace craton

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  craton::check(craton::model_ids[data[0] % std::size(craton::model_ids)], body);
  return 0;
}
