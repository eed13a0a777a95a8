// Amazon Titan Embeddings: Text G1, Text V2, Multimodal G1.
//
// Source: docs.aws.amazon.com "Amazon Titan Embeddings G1 - Text", "Amazon Titan Multimodal
// Embeddings G1".
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "base/base64.h"
#include "families/embedding_family.h"
#include "families/embedding_members.h"
#include "families/members.h"
#include "families/schema.h"
#include "families/vector_map.h"
#include "media/image_info.h"

namespace craton::families {
namespace {

constexpr std::string_view v1_prefixes[] = {"amazon.titan-embed-text-v1",
                                            "amazon.titan-embed-g1-text-"};
constexpr std::string_view v2_prefixes[] = {"amazon.titan-embed-text-v2"};
constexpr std::string_view image_prefixes[] = {"amazon.titan-embed-image-"};

constexpr int v1_dimension = 1536;
constexpr std::array v2_dimensions{256, 512, 1024};
constexpr std::array image_dimensions{256, 384, 1024};

constexpr std::size_t image_bytes_max = 25u << 20;
constexpr std::uint32_t image_side_max = 2048;

constexpr Schema text_of_v2_schema{.type = JsonType::string, .size_min = 1, .size_max = 50'000};
constexpr Schema integer_schema{.type = JsonType::integer};
constexpr std::string_view types[] = {"float", "binary"};
constexpr Schema type_schema{.type = JsonType::string, .values = types};
constexpr Schema types_schema{.type = JsonType::array, .items = &type_schema};

constexpr Property v1_properties[] = {{"inputText", &prompt_schema, Presence::required}};
constexpr Schema v1_schema{.type = JsonType::object, .properties = v1_properties};

constexpr Property v2_properties[] = {{"inputText", &text_of_v2_schema, Presence::required},
                                      {"dimensions", &integer_schema},
                                      {"normalize", &boolean_schema},
                                      {"embeddingTypes", &types_schema}};
constexpr Schema v2_schema{.type = JsonType::object, .properties = v2_properties};

constexpr Property config_properties[] = {{"outputEmbeddingLength", &integer_schema}};
constexpr Schema config_schema{.type = JsonType::object, .properties = config_properties};
constexpr Property image_properties[] = {{"inputText", &prompt_schema},
                                         {"inputImage", &prompt_schema},
                                         {"embeddingConfig", &config_schema}};
constexpr Schema image_schema{.type = JsonType::object, .properties = image_properties};

Error bad_request(std::string_view what) {
  return {ErrorCode::validation, "400 Bad Request: " + std::string(what)};
}

NativeEmbedding of_text(const ModelContext& model, std::string_view text) {
  NativeEmbedding native;
  native.request.items.push_back({.text = std::string(text)});
  native.request.tokens_max = model.context_tokens;
  return native;
}

Result<NativeEmbedding> parse_v1(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, v1_schema, model));
  NativeEmbedding native = of_text(model, text_member(body, "inputText"));
  native.request.dimension = v1_dimension;
  native.normalize = false;  // Bedrock's are not of length 1 either
  return native;
}

Result<NativeEmbedding> parse_v2(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, v2_schema, model));
  NativeEmbedding native = of_text(model, text_member(body, "inputText"));
  CRATON_TRY_ASSIGN(native.request.dimension,
                    one_of(body, "dimensions", v2_dimensions, 1024, "#/dimensions"));
  const json::value* normalizes = body.if_contains("normalize");
  native.normalize = !normalizes || normalizes->get_bool();
  for (const std::string& type : texts_member(body, "embeddingTypes")) {
    native.types.push_back(type == "binary" ? VectorType::binary : VectorType::float32);
  }
  return native;
}

/// Source: the multimodal model's page (sizes, formats), recorded refusals (pixels).
Result<ImageBlock> read_image(std::string_view encoded) {
  std::optional<std::string> bytes = base64_bytes(encoded);
  if (!bytes) return bad_request("The input image is not valid base64. ");
  if (bytes->size() > image_bytes_max) return bad_request("Image exceeds max size allowed. ");
  const Result<media::ImageInfo> info = media::image_info(*bytes);
  const bool known =
      info && (info->format == media::ImageFormat::png || info->format == media::ImageFormat::jpeg);
  if (!known) return bad_request("The input image is not a PNG or JPEG image. ");
  if (info->width > image_side_max || info->height > image_side_max) {
    return bad_request("Image exceeds max pixels allowed. ");
  }
  return ImageBlock{std::string(media::name_of(info->format)), std::move(*bytes)};
}

Result<NativeEmbedding> parse_image(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, image_schema, model));
  const bool has_text = body.contains("inputText");
  const bool has_image = body.contains("inputImage");
  if (!has_text && !has_image) {
    return violation(
        "#: required key [inputText] not found, #: required key [inputImage] not found");
  }
  NativeEmbedding native = of_text(model, text_member(body, "inputText"));
  EmbeddingItem& item = native.request.items.front();
  if (!has_text) item.text.reset();
  if (has_image) {
    CRATON_TRY_ASSIGN(item.image, read_image(text_member(body, "inputImage")));
  }
  native.request.dimension = 1024;
  if (const json::value* config = body.if_contains("embeddingConfig")) {
    CRATON_TRY_ASSIGN(native.request.dimension,
                      one_of(config->get_object(), "outputEmbeddingLength", image_dimensions, 1024,
                             "#/embeddingConfig/outputEmbeddingLength"));
  }
  return native;
}

RenderedEmbedding begun(const EmbeddingReply& reply, const std::vector<float>& vector) {
  RenderedEmbedding rendered{"{\"embedding\":", mapping_note(reply)};
  append_vector(vector, VectorType::float32, rendered.body);
  return rendered;
}

void append_count(const EmbeddingReply& reply, std::string& out) {
  out += ",\"inputTextTokenCount\":" + std::to_string(reply.made.vectors.front().tokens);
}

std::vector<float> vector_of(const EmbeddingReply& reply) { return reply_vector(reply, 0); }

RenderedEmbedding render_v1(const EmbeddingReply& reply) {
  RenderedEmbedding rendered = begun(reply, vector_of(reply));
  append_count(reply, rendered.body);
  rendered.body += '}';
  return rendered;
}

RenderedEmbedding render_v2(const EmbeddingReply& reply) {
  const std::vector<float> vector = vector_of(reply);
  RenderedEmbedding rendered = begun(reply, vector);
  std::string& out = rendered.body;
  const std::vector<VectorType>& asked = reply.native.types;
  const auto asks = [&asked](VectorType type) {
    return std::ranges::find(asked, type) != asked.end();
  };
  out += ",\"embeddingsByType\":{";
  if (asks(VectorType::binary)) {
    out += "\"binary\":";
    append_bits(vector, out);
  }
  if (asked.empty() || asks(VectorType::float32)) {
    out += out.back() == '{' ? "\"float\":" : ",\"float\":";
    append_vector(vector, VectorType::float32, out);
  }
  out += '}';
  append_count(reply, out);
  out += '}';
  return rendered;
}

RenderedEmbedding render_image(const EmbeddingReply& reply) {
  RenderedEmbedding rendered = begun(reply, vector_of(reply));
  append_count(reply, rendered.body);
  rendered.body += ",\"message\":null}";
  return rendered;
}

// The blank at its end is the service's own.
Error too_long(const InputTooLong& measured) {
  return bad_request(
      "Too many input tokens. Max input tokens: " + std::to_string(measured.context_tokens) +
      ", request input token count: " + std::to_string(measured.input_tokens) + " ");
}

}  // namespace

constinit const EmbeddingFamily titan_embed_text_v1{.name = "amazon.titan-embed-text-v1",
                                                    .operation = "embeddings",
                                                    .id_prefixes = v1_prefixes,
                                                    .parse = parse_v1,
                                                    .render = render_v1,
                                                    .too_long = too_long};
constinit const EmbeddingFamily titan_embed_text_v2{.name = "amazon.titan-embed-text-v2",
                                                    .operation = "embeddings",
                                                    .id_prefixes = v2_prefixes,
                                                    .parse = parse_v2,
                                                    .render = render_v2,
                                                    .too_long = too_long};
constinit const EmbeddingFamily titan_embed_image{.name = "amazon.titan-embed-image",
                                                  .operation = "embeddings",
                                                  .id_prefixes = image_prefixes,
                                                  .parse = parse_image,
                                                  .render = render_image,
                                                  .too_long = too_long};

}  // namespace craton::families
