// The families of embedding and reranking models: what their bodies may be, what they are read as,
// what their replies are.
#include "families/embedding_family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/json.h"

namespace craton::families {
namespace {

using testing::HasSubstr;

constexpr std::string_view g1 = "amazon.titan-embed-text-v1";
constexpr std::string_view v2 = "amazon.titan-embed-text-v2:0";
constexpr std::string_view image = "amazon.titan-embed-image-v1";
constexpr std::string_view cohere = "cohere.embed-english-v3";
constexpr std::string_view cohere4 = "cohere.embed-v4:0";
constexpr std::string_view nova = "amazon.nova-2-multimodal-embeddings-v1:0";
constexpr std::string_view rerank = "cohere.rerank-v3-5:0";
constexpr std::string_view amazon_rerank_id = "amazon.rerank-v1:0";

ModelContext context_of(std::string_view model_id) { return {model_id, 512, std::nullopt, false}; }

Result<NativeEmbedding> parsed(std::string_view model_id, std::string_view body) {
  const EmbeddingFamily* family = embedding_family_of(model_id);
  if (!family) return Error{ErrorCode::validation, "no family"};
  return family->parse(context_of(model_id), body);
}

std::string refusal(std::string_view model_id, std::string_view body) {
  const auto native = parsed(model_id, body);
  return native ? "accepted" : native.error().message;
}

TEST(EmbeddingFamilies, SpeakForTheIdsOfTheirModelsAlone) {
  EXPECT_EQ(embedding_family_of("amazon.titan-embed-g1-text-02")->name,
            "amazon.titan-embed-text-v1");
  EXPECT_EQ(embedding_family_of("amazon.titan-embed-text-v1:2:8k")->name,
            "amazon.titan-embed-text-v1");
  EXPECT_EQ(embedding_family_of("cohere.embed-multilingual-v3:0:512")->name, "cohere.embed-v3");
  EXPECT_EQ(embedding_family_of("amazon.titan-text-express-v1"), nullptr);
  EXPECT_EQ(embedding_family_of("amazon.nova-2-lite-v1:0"), nullptr);
  EXPECT_EQ(embedding_family_of("cohere.command-r-v1:0"), nullptr);
}

struct Refused {
  const char* name;
  std::string_view model;
  std::string body;
  std::string violation;
};

std::string nova_body(const std::string& text, const std::string& more = "") {
  return R"({"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":)"
         R"("GENERIC_INDEX")" +
         more + text + "}}";
}

std::string texts(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += i > 0 ? ",\"x\"" : "\"x\"";
  return "[" + all + "]";
}

const Refused refused[] = {
    {"g1_array", g1, R"({"inputText":["a"]})",
     "#/inputText: expected type: String, found: JSONArray"},
    {"g1_empty", g1, R"({"inputText":""})", "#/inputText: expected minLength: 1, actual: 0"},
    {"g1_dimensions", g1, R"({"inputText":"a","dimensions":256})",
     "#: extraneous key [dimensions] is not permitted"},
    {"g1_nothing", g1, "{}", "#: required key [inputText] not found"},
    {"v2_dimensions", v2, R"({"inputText":"a","dimensions":300})",
     "#/dimensions: 300 is not a valid enum value"},
    {"v2_dimensions_type", v2, R"({"inputText":"a","dimensions":"256"})",
     "#/dimensions: expected type: Integer, found: String"},
    {"v2_normalize", v2, R"({"inputText":"a","normalize":1})",
     "#/normalize: expected type: Boolean, found: Integer"},
    {"v2_types", v2, R"({"inputText":"a","embeddingTypes":["int8"]})",
     "#/embeddingTypes/0: int8 is not a valid enum value"},
    {"v2_long", v2, R"({"inputText":")" + std::string(50'001, 'x') + "\"}",
     "#/inputText: expected maxLength: 50000, actual: 50001"},
    {"image_nothing", image, "{}", "#: required key [inputText] not found"},
    {"image_length", image, R"({"inputText":"a","embeddingConfig":{"outputEmbeddingLength":512}})",
     "#/embeddingConfig/outputEmbeddingLength: 512 is not a valid enum value"},
    {"image_base64", image, R"({"inputImage":"*"})", "400 Bad Request: The input image is not"},
    {"image_format", image, R"({"inputImage":"AAAA"})", "is not a PNG or JPEG image"},
    {"cohere_titan", cohere, R"({"inputText":"a"})",
     "#: required key [texts] not found, #: required key [input_type] not found, #: extraneous key "
     "[inputText] is not permitted"},
    {"cohere_long", cohere,
     R"({"input_type":"search_query","texts":[")" + std::string(2049, 'x') + "\"]}",
     "#/texts/0: expected maxLength: 2048, actual: 2049"},
    {"cohere_many", cohere, R"({"input_type":"search_query","texts":)" + texts(97) + "}",
     "#/texts: expected maximum item count: 96, found: 97"},
    {"cohere_none", cohere, R"({"input_type":"search_query","texts":[]})",
     "#/texts: expected minimum item count: 1, found: 0"},
    {"cohere_input_type", cohere, R"({"input_type":"query","texts":["a"]})",
     "#/input_type: query is not a valid enum value"},
    {"cohere_truncate", cohere, R"({"input_type":"search_query","texts":["a"],"truncate":"LEFT"})",
     "#/truncate: LEFT is not a valid enum value"},
    {"cohere_both", cohere, R"({"input_type":"image","texts":["a"],"images":["x"]})",
     "#: extraneous key [texts] is not permitted"},
    {"cohere_no_uri", cohere, R"({"input_type":"image","images":["x"]})",
     "#/images/0: expected a data URI"},
    {"cohere4_dimension", cohere4,
     R"({"input_type":"search_query","texts":["a"],"output_dimension":384})",
     "#/output_dimension: 384 is not a valid enum value"},
    {"cohere4_nothing", cohere4, R"({"input_type":"search_query"})",
     "#: required key [texts] not found"},
    {"cohere4_both", cohere4,
     R"({"input_type":"search_query","texts":["a"],"inputs":[{"content":[{"type":"text","text":"a"}]}]})",
     "#: expected one of the keys"},
    {"cohere4_part", cohere4,
     R"({"input_type":"search_query","inputs":[{"content":[{"type":"x"}]}]})",
     "#/inputs/0/content/0/type: x is not a valid enum value"},
    {"nova_messages", nova, R"({"messages":[]})", "#: required key [taskType] not found"},
    {"nova_dimension", nova,
     nova_body(R"(,"text":{"truncationMode":"END","value":"a"})", R"(,"embeddingDimension":512)"),
     "#/singleEmbeddingParams/embeddingDimension: 512 is not a valid enum value"},
    {"nova_truncation", nova, nova_body(R"(,"text":{"value":"a"})"),
     "#/singleEmbeddingParams/text: required key [truncationMode] not found"},
    {"nova_nothing", nova, nova_body(""), "expected one of the keys [text]"},
    {"nova_audio", nova, nova_body(R"(,"audio":{})"), "audio: not supported by this server yet"},
    {"nova_segmented", nova,
     R"({"taskType":"SEGMENTED_EMBEDDING","singleEmbeddingParams":)"
     R"({"embeddingPurpose":"GENERIC_INDEX"}})",
     "#/taskType: SEGMENTED_EMBEDDING is not a valid enum value"},
    {"rerank_version", rerank, R"({"query":"a","documents":["b"]})",
     "#: required key [api_version] not found"},
    {"rerank_version_type", rerank, R"({"api_version":"2","query":"a","documents":["b"]})",
     "#/api_version: expected type: Integer, found: String"},
    {"rerank_many", rerank, R"({"api_version":2,"query":"a","documents":)" + texts(1001) + "}",
     "#/documents: expected maximum item count: 1000, found: 1001"},
    {"rerank_top", rerank, R"({"api_version":2,"query":"a","documents":["b"],"top_n":0})",
     "#/top_n: 0 is not greater or equal to 1"},
    {"amazon_version", amazon_rerank_id, R"({"api_version":2,"query":"a","documents":["b"]})",
     "#: extraneous key [api_version] is not permitted"},
    {"no_json", v2, "{", "Malformed input request, please reformat"},
    {"nothing", v2, "", "Member must have length greater than or equal to 1"},
};

class RefusedBody : public testing::TestWithParam<Refused> {};

TEST_P(RefusedBody, IsToldWhatIsWrong) {
  EXPECT_THAT(refusal(GetParam().model, GetParam().body), HasSubstr(GetParam().violation));
}

INSTANTIATE_TEST_SUITE_P(Families, RefusedBody, testing::ValuesIn(refused),
                         [](const auto& row) { return row.param.name; });

TEST(EmbeddingBodies, AreReadAsTextsAndTheirUse) {
  const auto native = parsed(cohere, R"({"texts":["a","b"],"input_type":"search_query",)"
                                     R"("truncate":"START","embedding_types":["int8","float"]})");
  ASSERT_TRUE(native) << native.error().message;
  ASSERT_EQ(native->request.items.size(), 2u);
  EXPECT_EQ(native->request.items[1], (EmbeddingItem{.text = "b", .role = TextRole::query}));
  EXPECT_EQ(native->request.truncation, Truncation::start);
  EXPECT_EQ(native->request.tokens_max, 512);
  EXPECT_EQ(native->request.dimension, 1024);
  EXPECT_EQ(native->types, (std::vector{VectorType::int8, VectorType::float32}));
}

TEST(EmbeddingBodies, PutTheTextsOfAnInputTogether) {
  const auto native = parsed(
      cohere4, R"({"input_type":"search_document","max_tokens":100,"inputs":[{"content":[)"
               R"({"type":"text","text":"a"},{"type":"text","text":"b"},)"
               R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]})");
  ASSERT_TRUE(native) << native.error().message;
  EXPECT_EQ(native->request.items.front().text, "a\nb");
  EXPECT_EQ(native->request.items.front().image->format, "png");
  EXPECT_EQ(native->request.tokens_max, 100);
  EXPECT_EQ(native->request.dimension, 1536);
}

TEST(EmbeddingBodies, RankTextsByAQuery) {
  const auto native = parsed(rerank, R"({"api_version":2,"query":"q","documents":["a","b"],)"
                                     R"("top_n":1,"max_tokens_per_doc":7})");
  ASSERT_TRUE(native) << native.error().message;
  EXPECT_EQ(native->request.task, EmbeddingTask::rank);
  EXPECT_EQ(native->request.items.size(), 3u);
  EXPECT_EQ(native->request.truncation, Truncation::end);
  EXPECT_EQ(native->request.tokens_max, 7);
  EXPECT_EQ(native->results_max, 1u);
}

Embeddings two_vectors() { return {.vectors = {{{3, 4}, 5}, {{0, -2}, 6}}}; }

RenderedEmbedding rendered(std::string_view model_id, std::string_view body, const Embeddings& made,
                           int dimension = 2) {
  auto native = parsed(model_id, body);
  EXPECT_TRUE(native) << native.error().message;
  if (native->request.dimension > 0) native->request.dimension = dimension;
  const ModelContext model = context_of(model_id);
  const RenderedEmbedding reply =
      embedding_family_of(model_id)->render({model, *native, made, "request-id"});
  EXPECT_TRUE(json::parse(reply.body)) << reply.body;
  return reply;
}

TEST(EmbeddingReplies, HaveTheFormsOfTheirProviders) {
  const Embeddings made = two_vectors();
  EXPECT_EQ(rendered(g1, R"({"inputText":"a"})", made).body,
            R"({"embedding":[3.0,4.0],"inputTextTokenCount":5})");
  EXPECT_EQ(rendered(v2, R"({"inputText":"a","embeddingTypes":["float","binary"]})", made).body,
            R"({"embedding":[0.6,0.8],"embeddingsByType":{"binary":[1,1],"float":[0.6,0.8]},)"
            R"("inputTextTokenCount":5})");
  EXPECT_EQ(rendered(v2, R"({"inputText":"a","normalize":false})", made).body,
            R"({"embedding":[3.0,4.0],"embeddingsByType":{"float":[3.0,4.0]},)"
            R"("inputTextTokenCount":5})");
  EXPECT_EQ(rendered(image, R"({"inputText":"a"})", made).body,
            R"({"embedding":[0.6,0.8],"inputTextTokenCount":5,"message":null})");
  EXPECT_EQ(rendered(cohere, R"({"texts":["a","b"],"input_type":"clustering"})", made).body,
            R"({"embeddings":[[0.6,0.8],[0.0,-1.0]],"id":"request-id",)"
            R"("response_type":"embeddings_floats","texts":["a","b"]})");
  EXPECT_EQ(rendered(cohere,
                     R"({"texts":["a","b"],"input_type":"clustering",)"
                     R"("embedding_types":["ubinary","float"]})",
                     made)
                .body,
            R"({"id":"request-id","texts":["a","b"],"embeddings":{"float":[[0.6,0.8],[0.0,-1.0]],)"
            R"("ubinary":[[192],[0]]},"response_type":"embeddings_by_type"})");
  EXPECT_THAT(rendered(cohere4,
                       R"({"texts":["a","b"],"input_type":"clustering",)"
                       R"("embedding_types":["float"]})",
                       made)
                  .body,
              HasSubstr("embeddings_floats"));
  EXPECT_EQ(rendered(nova, nova_body(R"(,"text":{"truncationMode":"END","value":"a"})"), made).body,
            R"({"embeddings":[{"embeddingType":"TEXT","embedding":[0.6,0.8]}]})");
}

TEST(EmbeddingReplies, SayWhatIsNotTheEncoders) {
  const Embeddings made = two_vectors();
  EXPECT_EQ(rendered(g1, R"({"inputText":"a"})", made).stand_in, "");
  EXPECT_EQ(rendered(g1, R"({"inputText":"a"})", made, 4).stand_in, "2 numbers mapped to 4");
}

TEST(Rankings, GoByTheCosineOfTheQueryAndEachText) {
  const Embeddings made{.vectors = {{{1, 0}, 1}, {{0, 1}, 1}, {{1, 1}, 1}, {{-1, 0}, 1}}};
  const RenderedEmbedding reply =
      rendered(rerank, R"({"api_version":2,"query":"q","documents":["a","b","c"]})", made);
  EXPECT_THAT(reply.body, HasSubstr(R"({"results":[{"index":1,"relevance_score":0.707)"));
  EXPECT_THAT(reply.body, HasSubstr(R"({"index":0,"relevance_score":0.0},)"));
  EXPECT_THAT(reply.body, HasSubstr(R"({"index":2,"relevance_score":0.0}])"));
  EXPECT_THAT(reply.stand_in, HasSubstr("cosines"));
}

TEST(Rankings, GoByTheScoresOfAnEncoderThatRanks) {
  const Embeddings made{.vectors = {{{-1}, 1}, {{0}, 1}}, .scores = true};
  const RenderedEmbedding reply =
      rendered(amazon_rerank_id, R"({"query":"q","documents":["a","b"],"top_n":1})", made);
  EXPECT_EQ(reply.body, R"({"results":[{"index":1,"relevance_score":0.5}]})");
  EXPECT_EQ(reply.stand_in, "");
}

TEST(EmbeddingReplies, LeaveDeclaredNumbersAsTheyAre) {
  Embeddings made = two_vectors();
  made.declared = true;
  const RenderedEmbedding reply = rendered(image, R"({"inputText":"a"})", made);
  EXPECT_EQ(reply.body, R"({"embedding":[3.0,4.0],"inputTextTokenCount":5,"message":null})");
  EXPECT_EQ(reply.stand_in, "");
  const Embeddings scores{.vectors = {{{0.9F}, 1}, {{0}, 1}}, .scores = true, .declared = true};
  EXPECT_EQ(rendered(amazon_rerank_id, R"({"query":"q","documents":["a","b"]})", scores).body,
            R"({"results":[{"index":0,"relevance_score":0.9},{"index":1,"relevance_score":0.0}]})");
}

TEST(EmbeddingLimits, AreRefusedInTheProvidersWords) {
  const InputTooLong measured{9279, 8192};
  EXPECT_EQ(embedding_family_of(v2)->too_long(measured).message,
            "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token "
            "count: 9279 ");
  EXPECT_THAT(embedding_family_of(cohere)->too_long(measured).message, HasSubstr("9279"));
}

}  // namespace
}  // namespace craton::families
