// Cohere and Amazon Rerank through InvokeModel.
//
// Source: docs.aws.amazon.com "Use a reranker model in Amazon Bedrock"; docs.cohere.com "Rerank".
#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "families/embedding_family.h"
#include "families/members.h"
#include "families/schema.h"
#include "families/vector_map.h"

namespace craton::families {
namespace {

constexpr std::string_view cohere_prefixes[] = {"cohere.rerank-"};
constexpr std::string_view amazon_prefixes[] = {"amazon.rerank-"};

constexpr Schema documents_schema{
    .type = JsonType::array, .size_min = 1, .size_max = 1000, .items = &prompt_schema};
constexpr Schema positive_schema{.type = JsonType::integer, .minimum = Bound{1}};
constexpr Schema version_schema{.type = JsonType::integer, .minimum = Bound{2}};

constexpr Property cohere_properties[] = {{"api_version", &version_schema, Presence::required},
                                          {"query", &prompt_schema, Presence::required},
                                          {"documents", &documents_schema, Presence::required},
                                          {"top_n", &positive_schema},
                                          {"max_tokens_per_doc", &positive_schema}};
constexpr Schema cohere_schema{
    .type = JsonType::object, .properties = cohere_properties, .nulls_are_absent = true};
constexpr Property amazon_properties[] = {{"query", &prompt_schema, Presence::required},
                                          {"documents", &documents_schema, Presence::required},
                                          {"top_n", &positive_schema}};
constexpr Schema amazon_schema{
    .type = JsonType::object, .properties = amazon_properties, .nulls_are_absent = true};

/// What is too long is cut at its end, as both do.
NativeEmbedding read(const json::object& body, const ModelContext& model) {
  NativeEmbedding native;
  native.request.task = EmbeddingTask::rank;
  native.request.truncation = Truncation::end;
  native.request.tokens_max =
      integer_member(body, "max_tokens_per_doc").value_or(model.context_tokens.value_or(4096));
  native.request.items.push_back(
      {.text = std::string(text_member(body, "query")), .role = TextRole::query});
  for (std::string& text : texts_member(body, "documents")) {
    native.request.items.push_back({.text = std::move(text), .role = TextRole::document});
  }
  native.results_max = static_cast<std::size_t>(integer_member(body, "top_n").value_or(0));
  return native;
}

Result<NativeEmbedding> parse_cohere(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, cohere_schema, model));
  return read(body, model);
}

Result<NativeEmbedding> parse_amazon(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, amazon_schema, model));
  return read(body, model);
}

struct Ranked {
  std::size_t index;
  double score;  ///< The higher the better.
};

/// By the logits of an encoder that ranks, or by the angle between query and text.
std::vector<Ranked> ranked(const Embeddings& made) {
  std::vector<Ranked> results;
  const std::size_t first = made.scores ? 0 : 1;
  for (std::size_t i = first; i < made.vectors.size(); ++i) {
    const std::vector<float>& values = made.vectors[i].values;
    results.push_back({i - first, made.scores ? double{values.front()}
                                              : cosine(made.vectors.front().values, values)});
  }
  std::ranges::sort(results, [](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : a.index < b.index;
  });
  return results;
}

/// Appends a number from 0 to 1.
void append_relevance(double score, const Embeddings& made, std::string& out) {
  if (made.declared) return append_number(static_cast<float>(score), out);
  json::append_number(made.scores ? 1 / (1 + std::exp(-score)) : std::clamp(score, 0.0, 1.0), out);
}

RenderedEmbedding render(const EmbeddingReply& reply) {
  const std::vector<Ranked> results = ranked(reply.made);
  const std::size_t most = reply.native.results_max > 0
                               ? std::min(reply.native.results_max, results.size())
                               : results.size();
  RenderedEmbedding rendered{"{\"results\":[", {}};
  for (std::size_t i = 0; i < most; ++i) {
    rendered.body += i > 0 ? ",{\"index\":" : "{\"index\":";
    rendered.body += std::to_string(results[i].index) + ",\"relevance_score\":";
    append_relevance(results[i].score, reply.made, rendered.body);
    rendered.body += '}';
  }
  rendered.body += "]}";
  if (!reply.made.scores) rendered.stand_in = "scores are cosines of embeddings";
  return rendered;
}

Error too_long(const InputTooLong&) {  // never asked for: what is too long is cut
  return {ErrorCode::validation, "Input is too long for requested model."};
}

}  // namespace

constinit const EmbeddingFamily cohere_rerank{.name = "cohere.rerank",
                                              .operation = "rerank",
                                              .id_prefixes = cohere_prefixes,
                                              .parse = parse_cohere,
                                              .render = render,
                                              .too_long = too_long};
constinit const EmbeddingFamily amazon_rerank{.name = "amazon.rerank",
                                              .operation = "rerank",
                                              .id_prefixes = amazon_prefixes,
                                              .parse = parse_amazon,
                                              .render = render,
                                              .too_long = too_long};

}  // namespace craton::families
