#include "engines/script/declared_media.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"
#include "engines/script/hash_vector.h"
#include "engines/script/named_file.h"
#include "engines/script/tokens.h"
#include "media/image_info.h"
#include "media/picture_decode.h"

namespace craton::engines::script {
namespace {

using rules::Key;
using rules::Source;
using rules::Value;

constexpr double float_max = std::numeric_limits<float>::max();
constexpr std::string_view vector_forms =
    "embedding: expected hash, numbers such as [0.1, 0.2], a list of such lists, or {file: NAME}";

using Numbers = std::vector<float>;

Result<Numbers> numbers_of(const Source& source, const Value& value, std::string_view what,
                           double least, double most) {
  Numbers numbers;
  numbers.reserve(value.items.size());
  for (const Value& item : value.items) {
    CRATON_TRY_ASSIGN(const double one, number(source, item, what, least, most));
    numbers.push_back(static_cast<float>(one));
  }
  if (numbers.empty())
    return source.wrong(value.line, std::string(what) + ": there are no numbers");
  return numbers;
}

/// All vectors of a call have one dimension.
Result<void> check_sizes(const Source& source, int line, const std::vector<Numbers>& each) {
  for (std::size_t i = 1; i < each.size(); ++i) {
    if (each[i].size() == each.front().size()) continue;
    return source.wrong(line, "embedding: vector " + std::to_string(i + 1) + " has " +
                                  std::to_string(each[i].size()) + " numbers, and the first has " +
                                  std::to_string(each.front().size()));
  }
  return {};
}

Result<DeclaredVectors> vectors_of_list(const Source& source, const Value& value) {
  DeclaredVectors declared;
  declared.listed = !value.items.empty() && value.items.front().kind == Value::Kind::list;
  if (!declared.listed) {
    CRATON_TRY_ASSIGN(Numbers one, numbers_of(source, value, "embedding", -float_max, float_max));
    declared.each.push_back(std::move(one));
    return declared;
  }
  for (const Value& item : value.items) {
    if (item.kind != Value::Kind::list) {
      return source.wrong(item.line, "embedding: expected a list of numbers, as before it");
    }
    CRATON_TRY_ASSIGN(Numbers one, numbers_of(source, item, "embedding", -float_max, float_max));
    declared.each.push_back(std::move(one));
  }
  CRATON_TRY(check_sizes(source, value.line, declared.each));
  return declared;
}

// A file of vectors is JSON, which is not read as a Value: that takes a hundred bytes a number.

std::optional<Numbers> numbers_of(const json::value& value) {
  Numbers numbers;
  const json::array* array = value.if_array();
  if (!array || array->empty()) return std::nullopt;
  for (const json::value& item : *array) {
    const double one = item.is_number() ? item.to_number<double>() : float_max * 2;
    if (!(std::abs(one) <= float_max)) return std::nullopt;
    numbers.push_back(static_cast<float>(one));
  }
  return numbers;
}

std::optional<DeclaredVectors> vectors_of(const json::value& value) {
  DeclaredVectors declared;
  const json::array* array = value.if_array();
  declared.listed = array && !array->empty() && array->front().is_array();
  if (!declared.listed) {
    std::optional<Numbers> one = numbers_of(value);
    if (!one) return std::nullopt;
    declared.each.push_back(std::move(*one));
    return declared;
  }
  for (const json::value& item : *array) {
    std::optional<Numbers> one = numbers_of(item);
    if (!one) return std::nullopt;
    declared.each.push_back(std::move(*one));
  }
  return declared;
}

Result<void> vectors_file(const Source& source, const Value& value, DeclaredVectors& declared) {
  CRATON_TRY_ASSIGN(const std::string text, named_file(source, value, "file"));
  const Result<json::value> read = json::parse(text);
  if (!read) {
    return source.wrong(value.line, "file: '" + value.text + "': " + read.error().message);
  }
  std::optional<DeclaredVectors> made = vectors_of(*read);
  if (!made) {
    return source.wrong(
        value.line, "file: '" + value.text + "' is no JSON list of numbers, nor one of such lists");
  }
  declared = std::move(*made);
  return check_sizes(source, value.line, declared.each);
}
constexpr std::array vector_keys{Key<DeclaredVectors>{"file", vectors_file}};

Result<PictureFile> picture_of(const Source& source, const Value& value) {
  CRATON_TRY_ASSIGN(std::string bytes, named_file(source, value, "image"));
  const Result<media::ImageInfo> info = media::image_info(bytes);
  const auto decoded = media::decode_picture(bytes, picture_pixels_max);
  if (!info || !decoded) {
    const Error& error = info ? decoded.error() : info.error();
    return source.wrong(value.line, "image: '" + value.text + "': " + error.message);
  }
  return PictureFile{info->format, std::move(bytes)};
}

Error wrong(std::string message) { return {ErrorCode::model_error, std::move(message)}; }

std::string counted(std::size_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

int tokens_of(const EmbeddingItem& item) { return item.text ? count_tokens(*item.text) : 0; }

Result<void> check_vectors(const DeclaredVectors& declared, const EmbeddingRequest& request) {
  if (declared.hashed) return {};
  if (declared.listed && declared.each.size() < request.items.size()) {
    return wrong("it declares " + counted(declared.each.size(), "embedding") + ", and " +
                 std::to_string(request.items.size()) +
                 " are asked for. Declare as many, one for all, or hash.");
  }
  const std::size_t size = declared.each.front().size();
  if (size <= static_cast<std::size_t>(request.dimension)) return {};
  return wrong("it declares an embedding of " + counted(size, "number") + ", and " +
               std::to_string(request.dimension) +
               " are asked for. Declare as many, fewer (zeros fill them up), or hash.");
}

}  // namespace

Result<DeclaredVectors> read_vectors(const Source& source, const Value& value) {
  switch (value.kind) {
    case Value::Kind::list: return vectors_of_list(source, value);
    case Value::Kind::map: {
      DeclaredVectors declared;
      CRATON_TRY(read_map(source, value, "embedding",
                          std::span<const Key<DeclaredVectors>>(vector_keys), declared));
      if (!declared.each.empty()) return declared;
      break;
    }
    case Value::Kind::text:
      if (value.text == "hash") return DeclaredVectors{.hashed = true};
      break;
    case Value::Kind::null: break;
  }
  const std::string found =
      value.kind == Value::Kind::text ? ", found '" + value.text.substr(0, 60) + "'" : "";
  return source.wrong(value.line, std::string(vector_forms) + found);
}

Result<std::vector<float>> read_scores(const Source& source, const Value& value) {
  if (value.kind != Value::Kind::list) {
    return source.wrong(value.line,
                        "scores: expected a list of numbers from 0 to 1, one for each document");
  }
  return numbers_of(source, value, "scores", 0, 1);
}

Result<DeclaredPictures> read_pictures(const Source& source, const Value& value) {
  DeclaredPictures declared;
  if (value.kind == Value::Kind::text && value.text == "canvas") {
    declared.drawn = true;
    return declared;
  }
  if (value.kind != Value::Kind::list) {
    CRATON_TRY_ASSIGN(PictureFile file, picture_of(source, value));
    declared.files.push_back(std::move(file));
    return declared;
  }
  declared.listed = true;
  for (const Value& item : value.items) {
    CRATON_TRY_ASSIGN(PictureFile file, picture_of(source, item));
    declared.files.push_back(std::move(file));
  }
  if (declared.files.empty()) return source.wrong(value.line, "image: expected at least one file");
  return declared;
}

Result<Embeddings> vectors_for(const DeclaredVectors& declared, const EmbeddingRequest& request) {
  constexpr int ranking_dimension = 1024;
  const bool ranks = request.task == EmbeddingTask::rank;
  Embeddings made{.declared = !ranks};
  CRATON_TRY(check_vectors(declared, request));
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    const EmbeddingItem& item = request.items[i];
    EmbeddingVector& vector = made.vectors.emplace_back();
    vector.tokens = tokens_of(item);
    if (declared.hashed) {
      vector.values = hash_vector(item, ranks ? ranking_dimension : request.dimension);
    } else {
      vector.values = declared.each[declared.listed ? i : 0];
      vector.values.resize(static_cast<std::size_t>(request.dimension));
    }
  }
  return made;
}

Result<Embeddings> scores_for(const std::vector<float>& declared, const EmbeddingRequest& request) {
  const std::size_t documents = request.items.size() - 1;
  if (declared.size() < documents) {
    return wrong("it declares " + counted(declared.size(), "score") + ", and there are " +
                 counted(documents, "document") + ". Declare one for each.");
  }
  Embeddings made{.scores = true, .declared = true};
  for (std::size_t i = 0; i < documents; ++i) {
    made.vectors.push_back({{declared[i]}, tokens_of(request.items[i + 1])});
  }
  if (!made.vectors.empty()) made.vectors.front().tokens += tokens_of(request.items.front());
  return made;
}

Result<Drawings> pictures_for(const DeclaredPictures& declared, const DrawingRequest& request) {
  const auto count = static_cast<std::size_t>(request.count);
  if (declared.listed && declared.files.size() < count) {
    return wrong("it declares " + counted(declared.files.size(), "picture") + ", and " +
                 std::to_string(count) + " are asked for. Declare as many, or one for all.");
  }
  Drawings made{.pictures = {}, .mask = request.mask};
  for (std::size_t i = 0; i < count; ++i) {
    made.files.push_back(declared.files[declared.listed ? i : 0]);
  }
  return made;
}

}  // namespace craton::engines::script
