// Families of embedding and reranking models: each maps its provider's native InvokeModel body onto
// an EmbeddingRequest, and Embeddings onto the provider's native reply.
//
// One file a provider's schema, one row a family, as family.h has them for models that write text.
// Bedrock neither streams nor converses with these. docs/embeddings.md describes the schemas and
// how a local encoder's vectors become those that a model id promises. A family knows nothing of
// engines. No I/O: any function may be called from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversation/embedding.h"
#include "conversation/event.h"
#include "families/family.h"

namespace craton::families {

/// What the numbers of a reply's vectors are.
enum class VectorType {
  float32,
  int8,
  uint8,
  binary,   ///< A bit a number, eight in a signed byte.
  ubinary,  ///< The same in an unsigned one.
};

/// A native body, read.
struct NativeEmbedding {
  EmbeddingRequest request;
  bool normalize = true;  ///< Vectors have length 1; else the encoder's own.
  /// As the body names them; empty: it names none.
  std::vector<VectorType> types = {};
  std::vector<std::string> echo = {};  ///< Texts that the reply repeats.
  std::size_t results_max = 0;         ///< Of a ranking; 0: all.
};

/// What a reply is made of.
struct EmbeddingReply {
  const ModelContext& model;
  const NativeEmbedding& native;
  const Embeddings& made;  ///< One vector an item, of at least one number.
  std::string_view request_id;
};

/// A native reply.
struct RenderedEmbedding {
  std::string body;  ///< JSON text
  /// What of it is the server's and not the encoder's: "384 numbers mapped to 1024". Empty:
  /// nothing.
  std::string stand_in;
};

struct EmbeddingFamily {
  std::string_view name;  ///< "amazon.titan-embed-text-v2"
  /// As the semantic conventions name what is done: "embeddings"; "rerank" is ours.
  std::string_view operation;
  std::span<const std::string_view> id_prefixes;  ///< Of the model ids that speak this schema.

  /// Reads a native body. Fails with `validation` in the provider's words.
  Result<NativeEmbedding> (*parse)(const ModelContext& model, std::string_view body);
  RenderedEmbedding (*render)(const EmbeddingReply& reply);
  /// The provider's refusal of a text that does not fit.
  Error (*too_long)(const InputTooLong& measured);
};

/// Every row.
std::span<const EmbeddingFamily* const> all_embedding_families();

/// The one that speaks for `model_id`; null when none does.
const EmbeddingFamily* embedding_family_of(std::string_view model_id);

// The rows: titan_embed.cc, cohere_embed.cc, nova_embed.cc, rerank.cc.
extern const EmbeddingFamily titan_embed_text_v1;
extern const EmbeddingFamily titan_embed_text_v2;
extern const EmbeddingFamily titan_embed_image;
extern const EmbeddingFamily cohere_embed_v3;
extern const EmbeddingFamily cohere_embed_v4;
extern const EmbeddingFamily nova_embed;
extern const EmbeddingFamily cohere_rerank;
extern const EmbeddingFamily amazon_rerank;

}  // namespace craton::families
