// Cohere Embed v3 (English, multilingual) and v4.
//
// Source: docs.aws.amazon.com "Cohere Embed v3", "Cohere Embed v4"; docs.cohere.com "Embed".
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <utility>
#include <vector>

#include "families/cohere.h"
#include "families/data_uri.h"
#include "families/embedding_family.h"
#include "families/embedding_members.h"
#include "families/members.h"
#include "families/schema.h"
#include "families/vector_map.h"

namespace craton::families {
namespace {

constexpr std::string_view v3_prefixes[] = {"cohere.embed-english-v3",
                                            "cohere.embed-multilingual-v3"};
constexpr std::string_view v4_prefixes[] = {"cohere.embed-v4"};

constexpr int v3_dimension = 1024;
constexpr std::array v4_dimensions{256, 512, 1024, 1536};
constexpr std::size_t items_max = 96;

struct TypeName {
  std::string_view name;
  VectorType type;
};
constexpr std::array type_names{
    TypeName{"float", VectorType::float32},   TypeName{"int8", VectorType::int8},
    TypeName{"uint8", VectorType::uint8},     TypeName{"binary", VectorType::binary},
    TypeName{"ubinary", VectorType::ubinary},
};
constexpr std::string_view types[] = {"float", "int8", "uint8", "binary", "ubinary"};
static_assert(std::size(types) == type_names.size());

constexpr std::array truncation_words{
    TruncationWord{"NONE", Truncation::refused}, TruncationWord{"START", Truncation::start},
    TruncationWord{"END", Truncation::end},      TruncationWord{"LEFT", Truncation::start},
    TruncationWord{"RIGHT", Truncation::end},
};
constexpr std::string_view v3_truncations[] = {"NONE", "START", "END"};
constexpr std::string_view v4_truncations[] = {"NONE", "START", "END", "LEFT", "RIGHT"};
constexpr std::string_view input_types[] = {"search_document", "search_query", "classification",
                                            "clustering", "image"};

constexpr Schema input_type_schema{.type = JsonType::string, .values = input_types};
constexpr Schema v3_truncate_schema{.type = JsonType::string, .values = v3_truncations};
constexpr Schema v4_truncate_schema{.type = JsonType::string, .values = v4_truncations};
constexpr Schema type_schema{.type = JsonType::string, .values = types};
constexpr Schema types_schema{.type = JsonType::array, .size_min = 1, .items = &type_schema};

constexpr Schema v3_text_schema{.type = JsonType::string, .size_min = 1, .size_max = 2048};
constexpr Schema v3_texts_schema{
    .type = JsonType::array, .size_min = 1, .size_max = items_max, .items = &v3_text_schema};
constexpr Schema v3_images_schema{
    .type = JsonType::array, .size_min = 1, .size_max = 1, .items = &prompt_schema};

// Bodies with `texts` and with `images` have each a schema of their own.
constexpr Property v3_text_properties[] = {{"texts", &v3_texts_schema, Presence::required},
                                           {"input_type", &input_type_schema, Presence::required},
                                           {"truncate", &v3_truncate_schema},
                                           {"embedding_types", &types_schema}};
constexpr Schema v3_schema{
    .type = JsonType::object, .properties = v3_text_properties, .nulls_are_absent = true};
constexpr Property v3_image_properties[] = {{"images", &v3_images_schema, Presence::required},
                                            {"input_type", &input_type_schema, Presence::required},
                                            {"truncate", &v3_truncate_schema},
                                            {"embedding_types", &types_schema}};
constexpr Schema v3_image_schema{
    .type = JsonType::object, .properties = v3_image_properties, .nulls_are_absent = true};

constexpr Schema v4_texts_schema{
    .type = JsonType::array, .size_min = 1, .size_max = items_max, .items = &prompt_schema};
constexpr Property url_properties[] = {{"url", &prompt_schema, Presence::required}};
constexpr Schema url_object_schema{.type = JsonType::object, .properties = url_properties};
constexpr const Schema* url_forms[] = {&prompt_schema, &url_object_schema};
constexpr Schema url_schema{.alternatives = url_forms};
constexpr Property text_part_properties[] = {{"type", &text_schema, Presence::required},
                                             {"text", &prompt_schema, Presence::required}};
constexpr Schema text_part_schema{.type = JsonType::object, .properties = text_part_properties};
constexpr Property image_part_properties[] = {{"type", &text_schema, Presence::required},
                                              {"image_url", &url_schema, Presence::required}};
constexpr Schema image_part_schema{.type = JsonType::object, .properties = image_part_properties};
constexpr Variant part_variants[] = {{"text", &text_part_schema},
                                     {"image_url", &image_part_schema}};
constexpr Schema part_schema{.type = JsonType::object, .variants = part_variants};
constexpr Schema parts_schema{.type = JsonType::array, .size_min = 1, .items = &part_schema};
constexpr Property input_properties[] = {{"content", &parts_schema, Presence::required}};
constexpr Schema input_schema{.type = JsonType::object, .properties = input_properties};
constexpr Schema inputs_schema{
    .type = JsonType::array, .size_min = 1, .size_max = items_max, .items = &input_schema};
constexpr Schema integer_schema{.type = JsonType::integer};
constexpr Schema max_tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{128'000}};

constexpr Property v4_properties[] = {{"input_type", &input_type_schema, Presence::required},
                                      {"texts", &v4_texts_schema},
                                      {"images", &v4_texts_schema},
                                      {"inputs", &inputs_schema},
                                      {"truncate", &v4_truncate_schema},
                                      {"embedding_types", &types_schema},
                                      {"output_dimension", &integer_schema},
                                      {"max_tokens", &max_tokens_schema}};
constexpr Schema v4_schema{
    .type = JsonType::object, .properties = v4_properties, .nulls_are_absent = true};

/// Whether a body has that member; parses it only where it may.
bool has_member(std::string_view body, std::string_view name) {
  if (body.find(name) == body.npos) return false;
  const Result<json::value> value = json::parse(body);
  const json::object* members = value ? value->if_object() : nullptr;
  const json::value* member = members ? members->if_contains(name) : nullptr;
  return member && !member->is_null();
}

TextRole role_of(std::string_view input_type) {
  if (input_type == "search_query") return TextRole::query;
  return input_type == "search_document" ? TextRole::document : TextRole::any;
}

/// What both versions read alike.
NativeEmbedding read_common(const json::object& body, const ModelContext& model) {
  NativeEmbedding native;
  native.request.truncation = truncation_of(text_member(body, "truncate"), truncation_words);
  native.request.tokens_max = model.context_tokens;
  const TextRole role = role_of(text_member(body, "input_type"));
  native.echo = texts_member(body, "texts");
  for (const std::string& text : native.echo) {
    native.request.items.push_back({.text = text, .role = role});
  }
  for (const std::string& name : texts_member(body, "embedding_types")) {
    native.types.push_back(std::ranges::find(type_names, name, &TypeName::name)->type);
  }
  return native;
}

Result<void> add_images(const json::object& body, NativeEmbedding& native) {
  const std::vector<std::string> images = texts_member(body, "images");
  for (std::size_t i = 0; i < images.size(); ++i) {
    EmbeddingItem& item = native.request.items.emplace_back();
    CRATON_TRY_ASSIGN(item.image, image_of_data_uri(images[i], "#/images/" + std::to_string(i)));
  }
  return {};
}

Result<NativeEmbedding> parse_v3(const ModelContext& model, std::string_view text) {
  const Schema& schema = has_member(text, "images") ? v3_image_schema : v3_schema;
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  const bool of_image = text_member(body, "input_type") == "image";
  if (of_image != body.contains("images")) {
    return violation(of_image ? "#: required key [images] not found"
                              : "#/input_type: expected image, as the body has images");
  }
  NativeEmbedding native = read_common(body, model);
  CRATON_TRY(add_images(body, native));
  native.request.dimension = v3_dimension;
  return native;
}

/// A text and an image make one vector; texts are read as one.
Result<EmbeddingItem> read_input(const json::array& parts, TextRole role, std::size_t index) {
  EmbeddingItem item{.role = role};
  for (const json::value& value : parts) {
    const json::object& part = value.get_object();
    if (part.contains("text")) {
      std::string& text = item.text ? *item.text : item.text.emplace();
      text += (text.empty() ? "" : "\n") + std::string(text_member(part, "text"));
      continue;
    }
    const json::value& url = part.at("image_url");
    const std::string_view address =
        url.is_string() ? std::string_view(url.get_string()) : text_member(url.get_object(), "url");
    CRATON_TRY_ASSIGN(item.image, image_of_data_uri(address, "#/inputs/" + std::to_string(index)));
  }
  return item;
}

Result<NativeEmbedding> parse_v4(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, v4_schema, model));
  int kinds = 0;
  for (const std::string_view name : {"texts", "images", "inputs"}) kinds += body.contains(name);
  if (kinds != 1) {
    return violation(kinds == 0 ? "#: required key [texts] not found"
                                : "#: expected one of the keys [texts], [images] and [inputs]");
  }
  NativeEmbedding native = read_common(body, model);
  CRATON_TRY(add_images(body, native));
  if (const json::value* inputs = body.if_contains("inputs")) {
    const TextRole role = role_of(text_member(body, "input_type"));
    const json::array& all = inputs->get_array();
    for (std::size_t i = 0; i < all.size(); ++i) {
      CRATON_TRY_ASSIGN(EmbeddingItem item,
                        read_input(all[i].get_object().at("content").get_array(), role, i));
      native.request.items.push_back(std::move(item));
    }
  }
  CRATON_TRY_ASSIGN(native.request.dimension,
                    one_of(body, "output_dimension", v4_dimensions, 1536, "#/output_dimension"));
  if (const auto most = integer_member(body, "max_tokens")) {
    native.request.tokens_max = std::min(*most, native.request.tokens_max.value_or(*most));
  }
  return native;
}

using Vectors = std::vector<std::vector<float>>;

void append_vectors(const Vectors& vectors, VectorType type, std::string& out) {
  out += '[';
  for (const std::vector<float>& vector : vectors) {
    if (&vector != &vectors.front()) out += ',';
    append_vector(vector, type, out);
  }
  out += ']';
}

void append_texts(const EmbeddingReply& reply, std::string& out) {
  if (reply.native.echo.empty()) return;
  out += ",\"texts\":[";
  for (const std::string& text : reply.native.echo) {
    if (&text != &reply.native.echo.front()) out += ',';
    json::append_quoted(text, out);
  }
  out += ']';
}

std::string floats(const EmbeddingReply& reply, const Vectors& vectors) {
  std::string out = "{\"embeddings\":";
  append_vectors(vectors, VectorType::float32, out);
  out += ",\"id\":";
  json::append_quoted(reply.request_id, out);
  out += ",\"response_type\":\"embeddings_floats\"";
  append_texts(reply, out);
  return out + "}";
}

std::string by_type(const EmbeddingReply& reply, const Vectors& vectors) {
  std::string out = "{\"id\":";
  json::append_quoted(reply.request_id, out);
  append_texts(reply, out);
  out += ",\"embeddings\":{";
  const std::vector<VectorType>& asked = reply.native.types;
  bool empty = true;
  for (const TypeName& row : type_names) {
    if (std::ranges::find(asked, row.type) == asked.end()) continue;
    out += std::exchange(empty, false) ? "\"" : ",\"";
    out += row.name;
    out += "\":";
    append_vectors(vectors, row.type, out);
  }
  return out + "},\"response_type\":\"embeddings_by_type\"}";
}

Vectors vectors_of(const EmbeddingReply& reply) {
  Vectors vectors;
  for (std::size_t i = 0; i < reply.made.vectors.size(); ++i) {
    vectors.push_back(reply_vector(reply, i));
  }
  return vectors;
}

RenderedEmbedding render_v3(const EmbeddingReply& reply) {
  const Vectors vectors = vectors_of(reply);
  return {reply.native.types.empty() ? floats(reply, vectors) : by_type(reply, vectors),
          mapping_note(reply)};
}

/// Floats alone come without types, however they are asked for.
RenderedEmbedding render_v4(const EmbeddingReply& reply) {
  const std::vector<VectorType>& asked = reply.native.types;
  const bool plain =
      std::ranges::all_of(asked, [](VectorType type) { return type == VectorType::float32; });
  const Vectors vectors = vectors_of(reply);
  return {plain ? floats(reply, vectors) : by_type(reply, vectors), mapping_note(reply)};
}

}  // namespace

constinit const EmbeddingFamily cohere_embed_v3{.name = "cohere.embed-v3",
                                                .operation = "embeddings",
                                                .id_prefixes = v3_prefixes,
                                                .parse = parse_v3,
                                                .render = render_v3,
                                                .too_long = cohere_too_long};
constinit const EmbeddingFamily cohere_embed_v4{.name = "cohere.embed-v4",
                                                .operation = "embeddings",
                                                .id_prefixes = v4_prefixes,
                                                .parse = parse_v4,
                                                .render = render_v4,
                                                .too_long = cohere_too_long};

}  // namespace craton::families
