// Amazon Nova Multimodal Embeddings, texts and images. What is segmented goes by StartAsyncInvoke.
//
// Source: docs.aws.amazon.com/nova "Complete embeddings request and response schema".
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

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"amazon.nova-2-multimodal-embeddings-"};
constexpr std::array dimensions{256, 384, 1024, 3072};

constexpr std::string_view versions[] = {"nova-multimodal-embed-v1"};
constexpr std::string_view tasks[] = {"SINGLE_EMBEDDING"};
constexpr std::string_view purposes[] = {
    "GENERIC_INDEX",   "GENERIC_RETRIEVAL", "TEXT_RETRIEVAL",
    "IMAGE_RETRIEVAL", "VIDEO_RETRIEVAL",   "DOCUMENT_RETRIEVAL",
    "AUDIO_RETRIEVAL", "CLASSIFICATION",    "CLUSTERING",
};
constexpr std::string_view truncations[] = {"START", "END", "NONE"};
constexpr std::array truncation_words{TruncationWord{"START", Truncation::start},
                                      TruncationWord{"END", Truncation::end}};
constexpr std::string_view image_formats[] = {"png", "jpeg", "gif", "webp"};
constexpr std::string_view details[] = {"STANDARD_IMAGE", "DOCUMENT_IMAGE"};

constexpr Schema version_schema{.type = JsonType::string, .values = versions};
constexpr Schema task_schema{.type = JsonType::string, .values = tasks};
constexpr Schema purpose_schema{.type = JsonType::string, .values = purposes};
constexpr Schema integer_schema{.type = JsonType::integer};
constexpr Schema truncation_schema{.type = JsonType::string, .values = truncations};
constexpr Schema format_schema{.type = JsonType::string, .values = image_formats};
constexpr Schema detail_schema{.type = JsonType::string, .values = details};

constexpr Property source_properties[] = {{"bytes", &prompt_schema},
                                          {"s3Location", &free_object_schema}};
constexpr Schema source_schema{.type = JsonType::object, .properties = source_properties};
constexpr Property text_properties[] = {{"truncationMode", &truncation_schema, Presence::required},
                                        {"value", &prompt_schema},
                                        {"source", &source_schema}};
constexpr Schema text_block_schema{.type = JsonType::object, .properties = text_properties};
constexpr Property image_properties[] = {{"format", &format_schema, Presence::required},
                                         {"source", &source_schema, Presence::required},
                                         {"detailLevel", &detail_schema}};
constexpr Schema image_block_schema{.type = JsonType::object, .properties = image_properties};
constexpr Property params_properties[] = {
    {"embeddingPurpose", &purpose_schema, Presence::required},
    {"embeddingDimension", &integer_schema},
    {"text", &text_block_schema},
    {"image", &image_block_schema},
    {"audio", &free_object_schema},
    {"video", &free_object_schema},
};
constexpr Schema params_schema{.type = JsonType::object, .properties = params_properties};
constexpr Property properties[] = {{"taskType", &task_schema, Presence::required},
                                   {"singleEmbeddingParams", &params_schema, Presence::required},
                                   {"schemaVersion", &version_schema}};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr std::string_view place = "#/singleEmbeddingParams";

/// What is retrieved by is a question, what is kept an answer.
TextRole role_of(std::string_view purpose) {
  if (purpose.ends_with("_RETRIEVAL")) return TextRole::query;
  return purpose == "GENERIC_INDEX" ? TextRole::document : TextRole::any;
}

Error nothing_from_s3(std::string_view of) {
  return not_supported(std::string(of) + ".source.s3Location", "Send the content itself");
}

Result<EmbeddingItem> read_text(const json::object& text, TextRole role) {
  if (const json::value* source = text.if_contains("source")) {
    if (source->get_object().contains("s3Location")) return nothing_from_s3("text");
  }
  if (!text.contains("value")) {
    return violation(std::string(place) + "/text: required key [value] not found");
  }
  return EmbeddingItem{.text = std::string(text_member(text, "value")), .role = role};
}

Result<EmbeddingItem> read_image(const json::object& image) {
  const json::object& source = image.at("source").get_object();
  if (source.contains("s3Location")) return nothing_from_s3("image");
  const std::string at = std::string(place) + "/image/source";
  if (!source.contains("bytes")) return violation(at + ": required key [bytes] not found");
  std::optional<std::string> bytes = base64_bytes(text_member(source, "bytes"));
  if (!bytes || bytes->empty()) return violation(at + "/bytes: the image is not valid base64");
  return EmbeddingItem{
      .image = ImageBlock{std::string(text_member(image, "format")), *std::move(bytes)}};
}

Result<NativeEmbedding> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  const json::object& params = body.at("singleEmbeddingParams").get_object();
  int kinds = 0;
  for (const std::string_view name : {"text", "image", "audio", "video"}) {
    kinds += params.contains(name);
  }
  if (kinds != 1) {
    return violation(std::string(place) +
                     ": expected one of the keys [text], [image], [audio] and [video]");
  }
  for (const std::string_view name : {"audio", "video"}) {
    if (params.contains(name)) return not_supported(name, "Send a text");
  }
  NativeEmbedding native;
  CRATON_TRY_ASSIGN(native.request.dimension, one_of(params, "embeddingDimension", dimensions, 3072,
                                                     std::string(place) + "/embeddingDimension"));
  native.request.tokens_max = model.context_tokens;
  EmbeddingItem& item = native.request.items.emplace_back();
  if (const json::value* given = params.if_contains("text")) {
    const json::object& block = given->get_object();
    native.request.truncation =
        truncation_of(text_member(block, "truncationMode"), truncation_words);
    CRATON_TRY_ASSIGN(item, read_text(block, role_of(text_member(params, "embeddingPurpose"))));
  } else {
    CRATON_TRY_ASSIGN(item, read_image(params.at("image").get_object()));
  }
  return native;
}

RenderedEmbedding render(const EmbeddingReply& reply) {
  const bool text = reply.native.request.items.front().text.has_value();
  RenderedEmbedding rendered{std::string(R"({"embeddings":[{"embeddingType":")") +
                                 (text ? "TEXT" : "IMAGE") + R"(","embedding":)",
                             mapping_note(reply)};
  append_vector(reply_vector(reply, 0), VectorType::float32, rendered.body);
  rendered.body += "}]}";
  return rendered;
}

Error too_long(const InputTooLong&) {
  return {ErrorCode::validation,
          "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the "
          "input to try again."};
}

}  // namespace

constinit const EmbeddingFamily nova_embed{.name = "amazon.nova-embeddings",
                                           .operation = "embeddings",
                                           .id_prefixes = prefixes,
                                           .parse = parse,
                                           .render = render,
                                           .too_long = too_long};

}  // namespace craton::families
