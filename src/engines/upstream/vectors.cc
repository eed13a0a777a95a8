#include "engines/upstream/vectors.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engines/upstream/json_members.h"
#include "engines/upstream/upstream_error.h"

namespace craton::engines::upstream {
namespace {

Result<std::string_view> text_of_item(const EmbeddingItem& item) {
  if (item.text && !item.image) return std::string_view(*item.text);
  return Error{ErrorCode::validation, "The encoder that answers here reads no images."};
}

/// vLLM cuts texts where it is told to; others do as they were started.
void add_truncation(const EmbeddingRequest& request, const ServerKind& kind, json::object& body) {
  if (request.truncation == Truncation::refused || !kind.truncates) return;
  constexpr int models_own = -1;
  body["truncate_prompt_tokens"] = request.tokens_max.value_or(models_own);
  body["truncation_side"] = request.truncation == Truncation::start ? "left" : "right";
}

/// The rows of an answer, each at its own index. `name`: of the member that holds them.
Result<std::vector<const json::object*>> rows_in(const json::object& root, std::string_view name,
                                                 std::size_t count) {
  const json::array* rows = array_member(root, name);
  if (!rows || rows->size() != count) return not_understood();
  std::vector<const json::object*> all(count, nullptr);
  for (const json::value& row : *rows) {
    const json::object* object = row.if_object();
    if (!object) return not_understood();
    const auto index = static_cast<std::size_t>(count_member(*object, "index"));
    if (index >= count || all[index]) return not_understood();
    all[index] = object;
  }
  return all;
}

int tokens_in(const json::object& root) {
  const json::object* usage = object_member(root, "usage");
  if (!usage) return 0;
  return std::max(count_member(*usage, "prompt_tokens"), count_member(*usage, "total_tokens"));
}

Result<std::vector<float>> numbers_in(const json::object& row) {
  const json::array* embedding = array_member(row, "embedding");
  if (!embedding || embedding->empty()) return not_understood();
  std::vector<float> numbers;
  numbers.reserve(embedding->size());
  for (const json::value& value : *embedding) {
    const float number = value.is_number() ? static_cast<float>(value.to_number<double>()) : NAN;
    if (!std::isfinite(number)) return not_understood();
    numbers.push_back(number);
  }
  const bool none = std::ranges::all_of(numbers, [](float number) { return number == 0; });
  if (none) return not_understood();
  return numbers;
}

/// Of a probability; finite for 0 and 1 too.
double logit(double probability) {
  constexpr double least = 1e-7;
  const double p = std::clamp(probability, least, 1 - least);
  return std::log(p / (1 - p));
}

}  // namespace

Result<std::string> vectors_body(const EmbeddingRequest& request, const Served& served) {
  json::array texts;
  for (const EmbeddingItem& item : request.items) {
    CRATON_TRY_ASSIGN(const std::string_view text, text_of_item(item));
    texts.emplace_back(text);
  }
  json::object body{{"model", served.model}, {"encoding_format", "float"}};
  body["input"] = std::move(texts);
  add_truncation(request, *served.kind, body);
  return json::to_text(body);
}

Result<std::string> ranks_body(const EmbeddingRequest& request, const Served& served) {
  json::array documents;
  json::object body{{"model", served.model}};
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    CRATON_TRY_ASSIGN(const std::string_view text, text_of_item(request.items[i]));
    i == 0 ? (void)(body["query"] = text) : (void)documents.emplace_back(text);
  }
  body["top_n"] = documents.size();
  body["documents"] = std::move(documents);
  add_truncation(request, *served.kind, body);
  return json::to_text(body);
}

Result<Embeddings> vectors_in(std::string_view text, std::size_t count) {
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return not_understood();
  const json::object& root = parsed->get_object();
  CRATON_TRY_ASSIGN(const auto rows, rows_in(root, "data", count));
  Embeddings made;
  for (const json::object* row : rows) {
    CRATON_TRY_ASSIGN(std::vector<float> numbers, numbers_in(*row));
    if (!made.vectors.empty() && made.vectors.front().values.size() != numbers.size()) {
      return not_understood();
    }
    made.vectors.push_back({std::move(numbers), 0});
  }
  if (!made.vectors.empty()) made.vectors.front().tokens = tokens_in(root);
  return made;
}

Result<Embeddings> ranks_in(std::string_view text, std::size_t count, const ServerKind& kind) {
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return not_understood();
  const json::object& root = parsed->get_object();
  CRATON_TRY_ASSIGN(const auto rows, rows_in(root, "results", count));
  Embeddings made{.vectors = {}, .scores = true};
  for (const json::object* row : rows) {
    const json::value* score = row->if_contains("relevance_score");
    if (!score || !score->is_number()) return not_understood();
    const double number = score->to_number<double>();
    if (!std::isfinite(number)) return not_understood();
    const double scored = kind.ranks_by_logits ? number : logit(number);
    made.vectors.push_back({{static_cast<float>(scored)}, 0});
  }
  if (!made.vectors.empty()) made.vectors.front().tokens = tokens_in(root);
  return made;
}

}  // namespace craton::engines::upstream
