// Embeddings and ranks: what is asked of `/v1/embeddings` and `/v1/rerank`, and what comes back.
//
// Source: platform.openai.com "Create embeddings"; vLLM's and llama-server's `/v1/rerank`, after
// Jina's. No I/O.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/embedding.h"
#include "engines/upstream/cluster.h"

namespace craton::engines::upstream {

/// The body for `/v1/embeddings`. Fails with `validation` when an item has an image or no text.
Result<std::string> vectors_body(const EmbeddingRequest& request, const Served& served);

/// The body for `/v1/rerank`: the first item is the query. Fails as vectors_body().
Result<std::string> ranks_body(const EmbeddingRequest& request, const Served& served);

/// `count`: vectors that were asked for. The server tells the tokens of all together, which are the
/// first's. Fails with `model_error` when they are not all there, finite and of one dimension.
Result<Embeddings> vectors_in(std::string_view text, std::size_t count);

/// Logits, in the order of the documents. Fails as vectors_in().
Result<Embeddings> ranks_in(std::string_view text, std::size_t count, const ServerKind& kind);

}  // namespace craton::engines::upstream
