// InvokeModel of embedding models over a scripted encoder.
#include "service/embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http/run_to_end.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;

constexpr std::string_view titan = "amazon.titan-embed-text-v2%3A0";
constexpr std::string_view body = R"({"inputText":"granite","dimensions":256})";

/// Answers each request with the same outcome, from a thread of its own.
class ScriptedEncoder : public ScriptedEngine {
 public:
  explicit ScriptedEncoder(engines::Embedding::Outcome outcome)
      : ScriptedEngine({}), outcome_(std::move(outcome)) {
    able = {.text = false, .embeddings = true};
  }
  ~ScriptedEncoder() override {
    if (thread_.joinable()) thread_.join();
  }
  Result<std::shared_ptr<engines::Embedding>> embed(EmbeddingRequest request,
                                                    const engines::Limits& limits) override {
    if (refusal) return *refusal;
    asked_for = std::move(request);
    given = limits;
    auto embedding = std::make_shared<engines::Embedding>();
    thread_ = std::thread([embedding, outcome = outcome_] { embedding->finish(outcome); });
    return embedding;
  }

  EmbeddingRequest asked_for;
  engines::Limits given;

 private:
  engines::Embedding::Outcome outcome_;
  std::thread thread_;
};

class EmbeddingService : public ServiceTest {
 protected:
  std::shared_ptr<ScriptedEncoder> encode(engines::Embedding::Outcome outcome) {
    auto encoder = std::make_shared<ScriptedEncoder>(std::move(outcome));
    engine = encoder;
    return encoder;
  }
  static engines::Embedding::Outcome failure(Failure what) {
    return tl::unexpected(std::move(what));
  }
};

TEST_F(EmbeddingService, AnswersWithTheVectorAndItsTokens) {
  const auto encoder = encode(Embeddings{.vectors = {{std::vector<float>(256, 1.0F), 7}}});
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"({"embedding":[0.0625,0.0625,)"));
  EXPECT_THAT(response.body, HasSubstr(R"("inputTextTokenCount":7)"));
  EXPECT_EQ(response.headers.find("x-amzn-bedrock-input-token-count"), "7");
  EXPECT_FALSE(response.headers.find("x-amzn-bedrock-output-token-count"));
  EXPECT_FALSE(response.headers.find("x-craton-stand-in")) << "256 are 256";
  EXPECT_EQ(encoder->asked_for.items.front().text, "granite");
  EXPECT_EQ(encoder->asked_for.tokens_max, 8192);
  EXPECT_TRUE(encoder->given.deadline);
}

TEST_F(EmbeddingService, RefusesWhatIsTooLongInTheProvidersWords) {
  encode(failure({{ErrorCode::validation, "too long"}, InputTooLong{9000, 8192}}));
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("Max input tokens: 8192, request input token count: 9000 "));
}

TEST_F(EmbeddingService, PassesOnWhatEndsIt) {
  encode(failure({{ErrorCode::model_timeout, "late"}, {}}));
  EXPECT_EQ(invoke(titan, std::string(body)).status, 408);
  const auto full = encode(Embeddings{});
  full->refusal = Error{ErrorCode::throttling, "full"};
  EXPECT_EQ(invoke(titan, std::string(body)).status, 429);
  const auto loading = encode(Embeddings{});
  loading->state = engines::State::loading;
  EXPECT_THAT(invoke(titan, std::string(body)).body, HasSubstr("Model is not ready"));
}

TEST_F(EmbeddingService, RefusesImagesWhereTheEncoderSeesNone) {
  encode(Embeddings{});
  const http::Response response =
      invoke("cohere.embed-english-v3",
             R"({"images":["data:image/png;base64,AAAA"],"input_type":"image"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("images cannot be embedded"));
}

TEST_F(EmbeddingService, SaysWhatToDoWithoutAnEncoder) {
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.body, HasSubstr("craton pull all-minilm-l6-v2"));
}

TEST_F(EmbeddingService, IsNoBusinessOfAModelThatWrites) {
  bind(saying("Hello."));
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 424);
  EXPECT_THAT(response.body, HasSubstr("makes no embeddings"));
}

}  // namespace
}  // namespace craton::service
