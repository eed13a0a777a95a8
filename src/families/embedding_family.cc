#include "families/embedding_family.h"

#include <algorithm>
#include <array>

namespace craton::families {
namespace {

constexpr std::array rows{&titan_embed_text_v1, &titan_embed_text_v2, &titan_embed_image,
                          &cohere_embed_v3,     &cohere_embed_v4,     &nova_embed,
                          &cohere_rerank,       &amazon_rerank};

}  // namespace

std::span<const EmbeddingFamily* const> all_embedding_families() { return rows; }

const EmbeddingFamily* embedding_family_of(std::string_view model_id) {
  const auto row = std::ranges::find_if(rows, [model_id](const EmbeddingFamily* family) {
    return std::ranges::any_of(family->id_prefixes, [model_id](std::string_view prefix) {
      return model_id.starts_with(prefix);
    });
  });
  return row == rows.end() ? nullptr : *row;
}

}  // namespace craton::families
