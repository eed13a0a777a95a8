// The encoder engine, on the encoder that `craton pull` fetches and on tiny ones of random weights.
#include "engines/llama/encoder_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engines/llama/gguf_head.h"
#include "engines/llama/test_answers.h"
#include "engines/llama/test_folder.h"
#include "engines/llama/test_models.h"
#include "engines/llama/tiny_vision_model.h"

namespace craton::engines::llama {
namespace {

using testing::HasSubstr;

Embedding::Outcome outcome_of(Embedding& embedding) {
  Signal signal;
  embedding.notify(signal.raiser());
  if (!signal.wait()) throw std::runtime_error("no vectors within two minutes");
  return std::move(*embedding.take());
}

void wait_loaded(Engine& engine) {
  Signal signal;
  engine.notify_loaded(signal.raiser());
  ASSERT_TRUE(signal.wait());
}

EmbeddingRequest texts(const std::vector<std::string>& all) {
  EmbeddingRequest request;
  for (const std::string& text : all) request.items.push_back({.text = text});
  return request;
}

float length_of(const std::vector<float>& vector) {
  float sum = 0;
  for (const float value : vector) sum += value * value;
  return std::sqrt(sum);
}

float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum / length_of(a) / length_of(b);
}

class EncoderEngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    engine = make_encoder_engine({.path = path_of(minilm), .name = "minilm", .threads = 2});
    wait_loaded(*engine);
    ASSERT_EQ(engine->status().state, State::ready) << engine->status().reason;
  }
  static void TearDownTestSuite() { engine.reset(); }

  static Embedding::Outcome embedded(EmbeddingRequest request) {
    const auto begun = engine->embed(std::move(request), {});
    if (!begun) throw std::runtime_error(begun.error().message);
    return outcome_of(**begun);
  }

  static Embeddings vectors(EmbeddingRequest request) {
    auto outcome = embedded(std::move(request));
    if (!outcome) throw std::runtime_error(outcome.error().error.message);
    return std::move(*outcome);
  }

  static std::unique_ptr<Engine> engine;
};
std::unique_ptr<Engine> EncoderEngineTest::engine;

struct Reference {
  std::string text;
  int tokens;
  float length;
  std::vector<float> first;  ///< Numbers of the unit vector.
};
// By the reference tokenizer, and the model's weights in full precision with NumPy alone.
const Reference references[] = {
    {"This is an embedding test.",
     8,
     4.8874F,
     {0.02630F, -0.01363F, 0.01951F, -0.00365F, 0.05108F}},
    {"안녕하세요 세계", 13, 3.3314F, {-0.05194F, 0.10062F, 0.03166F, -0.00727F, -0.00863F}},
    {"naïve Café, 北京 x²!", 8, 6.1940F, {0.08170F, 0.01543F, 0.03095F, -0.02503F, -0.02165F}},
};

TEST_F(EncoderEngineTest, GivesTheVectorsAndCountsOfTheReference) {
  for (const Reference& reference : references) {
    const EmbeddingVector vector = vectors(texts({reference.text})).vectors.front();
    ASSERT_EQ(vector.values.size(), 384u);
    EXPECT_EQ(vector.tokens, reference.tokens) << reference.text;
    const float length = length_of(vector.values);
    EXPECT_NEAR(length, reference.length, 0.02F) << reference.text;
    for (std::size_t i = 0; i < reference.first.size(); ++i) {
      EXPECT_NEAR(vector.values[i] / length, reference.first[i], 0.001F) << reference.text << i;
    }
  }
}

TEST_F(EncoderEngineTest, PutsWhatIsAlikeTogether) {
  const Embeddings all = vectors(texts(
      {"A man is playing a guitar.", "Someone plays music.", "The stock market fell on Tuesday."}));
  const auto& v = all.vectors;
  EXPECT_GT(cosine(v[0].values, v[1].values), 0.5F);
  EXPECT_LT(cosine(v[0].values, v[2].values), 0.2F);
}

TEST_F(EncoderEngineTest, GivesATextTheSameVectorInAnyCompany) {
  const auto alone = vectors(texts({"bedrock"})).vectors.front();
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back("text number " + std::to_string(i));
  many.push_back("bedrock");
  const auto beside = vectors(texts(many)).vectors.back();
  EXPECT_GT(cosine(alone.values, beside.values), 0.9999F);
}

TEST_F(EncoderEngineTest, RefusesALongTextOrCutsIt) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "one two three four five ";
  EmbeddingRequest request = texts({text + "granite"});
  request.tokens_max = 30;
  const auto refused = embedded(request);
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refused.error().input_too_long);
  EXPECT_EQ(refused.error().input_too_long->context_tokens, 30);
  EXPECT_GT(refused.error().input_too_long->input_tokens, 30);

  request.truncation = Truncation::end;
  const auto beginning = vectors(request).vectors.front();
  EXPECT_EQ(beginning.tokens, 30);
  request.truncation = Truncation::start;
  const auto end = vectors(request).vectors.front();
  EXPECT_EQ(end.tokens, 30);
  const auto granite = vectors(texts({"granite"})).vectors.front();
  EXPECT_GT(cosine(end.values, granite.values), cosine(beginning.values, granite.values) + 0.1F);
}

TEST_F(EncoderEngineTest, ReadsWhatIsLongerThanItsSequencesInParts) {
  std::string text;
  for (int i = 0; i < 700; ++i) text += "granite basalt gneiss ";
  const auto whole = vectors(texts({text})).vectors.front();
  EXPECT_GT(whole.tokens, 2100);
  const auto piece = vectors(texts({text.substr(0, 220)})).vectors.front();
  EXPECT_GT(cosine(whole.values, piece.values), 0.75F);
}

TEST_F(EncoderEngineTest, ReadsAnything) {
  for (const std::string& text : {std::string(), std::string(5000, ' '), std::string("\0\1\2", 3),
                                  std::string("\xff\xfe\xc3"), std::string(100'000, 'x'),
                                  std::string("[CLS] [SEP] [MASK]")}) {
    EmbeddingRequest request = texts({text});
    request.tokens_max = 256;
    request.truncation = Truncation::end;
    EXPECT_EQ(vectors(request).vectors.front().values.size(), 384u) << text.substr(0, 20);
  }
}

TEST_F(EncoderEngineTest, WritesNoTextAndSaysSo) {
  EXPECT_FALSE(engine->capabilities().text);
  EXPECT_TRUE(engine->capabilities().embeddings);
  EXPECT_EQ(engine->generate({}, {}).error().code, ErrorCode::model_error);
  EXPECT_EQ(engine->count_tokens({}).error().code, ErrorCode::model_error);
}

TEST_F(EncoderEngineTest, AnswersManyCallersAtOnce) {
  std::vector<std::jthread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&right, i] {
      for (int turn = 0; turn < 5; ++turn) {
        const auto got = vectors(texts({"caller " + std::to_string(i), "granite"}));
        right += got.vectors.size() == 2 ? 1 : 0;
      }
    });
  }
  callers.clear();
  EXPECT_EQ(right, 40);
}

TEST(EncoderEngine, ThrottlesWhatItCannotHoldAndFreesWhatIsGivenUp) {
  const auto engine =
      make_encoder_engine({.path = path_of(minilm), .threads = 1, .requests_max = 2});
  wait_loaded(*engine);
  EmbeddingRequest large;
  for (int i = 0; i < 500; ++i) large.items.push_back({.text = std::string(1000, 'x')});
  const auto one = engine->embed(large, {});
  const auto two = engine->embed(large, {});
  ASSERT_TRUE(one && two);
  const auto three = engine->embed(large, {});
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().code, ErrorCode::throttling);
  (*one)->cancel();
  (*two)->cancel();
  for (int i = 0; i < 1000 && engine->stats().running + engine->stats().queue_length > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(engine->embed(texts({"again"}), {}));
}

TEST(EncoderEngine, EndsWhatRunsWhenItGoes) {
  auto engine = make_encoder_engine({.path = path_of(minilm), .threads = 1});
  wait_loaded(*engine);
  EmbeddingRequest large;
  for (int i = 0; i < 2000; ++i) large.items.push_back({.text = std::string(1000, 'x')});
  const auto begun = engine->embed(large, {});
  ASSERT_TRUE(begun);
  engine.reset();
  const auto outcome = (*begun)->take();
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().error.code, ErrorCode::service_unavailable);
}

TEST(EncoderEngine, NamesAFileThatIsNoEncoder) {
  for (const std::string& path : {path_of(smollm), std::string("/no/such.gguf")}) {
    const auto engine = make_encoder_engine({.path = path});
    wait_loaded(*engine);
    EXPECT_EQ(engine->status().state, State::failed);
    EXPECT_THAT(engine->status().reason, HasSubstr(path));
    EXPECT_EQ(engine->embed({}, {}).error().code, ErrorCode::model_error);
  }
}

TEST(EncoderFile, IsToldByItsFirstKeys) {
  EXPECT_TRUE(is_encoder(path_of(minilm)));
  EXPECT_FALSE(is_encoder(path_of(smollm)));
  EXPECT_FALSE(is_encoder(path_of(qwen)));
  EXPECT_FALSE(is_encoder("/no/such.gguf"));
  EXPECT_FALSE(says_encoder("GGUF"));
}

/// A BERT of random weights with a head that scores.
void write_tiny_reranker(const std::filesystem::path& path) {
  RandomModel model("bert");
  model.number("bert.context_length", 64)
      .number("bert.embedding_length", 32)
      .number("bert.feed_forward_length", 64)
      .number("bert.block_count", 1)
      .number("bert.attention.head_count", 2)
      .number("tokenizer.ggml.token_type_count", 2)
      .number("bert.pooling_type", 4)
      .real("bert.attention.layer_norm_epsilon", 1e-12F)
      .text("tokenizer.ggml.model", "bert")
      .texts("tokenizer.ggml.tokens", {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2581a",
                                       "\u2581b", "\u2581c", "\u2581granite", "\u2581basalt"})
      .integers("tokenizer.ggml.token_type", {3, 3, 3, 3, 3, 1, 1, 1, 1, 1})
      .number("tokenizer.ggml.bos_token_id", 2)
      .number("tokenizer.ggml.eos_token_id", 3)
      .number("tokenizer.ggml.unknown_token_id", 1)
      .number("tokenizer.ggml.seperator_token_id", 3)
      .number("tokenizer.ggml.padding_token_id", 0)
      .number("tokenizer.ggml.mask_token_id", 4)
      .tensor("token_embd.weight", {32, 10})
      .tensor("position_embd.weight", {32, 64})
      .tensor("token_types.weight", {32, 2})
      .tensor("token_embd_norm.weight", {32})
      .tensor("token_embd_norm.bias", {32})
      .tensor("cls.weight", {32, 32})
      .tensor("cls.bias", {32})
      .tensor("cls.output.weight", {32, 1})
      .tensor("cls.output.bias", {1});
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
    model.tensor(std::string("blk.0.") + name + ".weight", {32, 32})
        .tensor(std::string("blk.0.") + name + ".bias", {32});
  }
  for (const char* name : {"attn_output_norm", "layer_output_norm"}) {
    model.tensor(std::string("blk.0.") + name + ".weight", {32})
        .tensor(std::string("blk.0.") + name + ".bias", {32});
  }
  model.tensor("blk.0.ffn_up.weight", {32, 64})
      .tensor("blk.0.ffn_up.bias", {64})
      .tensor("blk.0.ffn_down.weight", {64, 32})
      .tensor("blk.0.ffn_down.bias", {32});
  model.write(path);
}

TEST(Reranker, ScoresEachTextWithTheQuery) {
  const Folder folder;
  const std::filesystem::path path = folder / "reranker.gguf";
  write_tiny_reranker(path);
  EXPECT_TRUE(is_encoder(path.string()));
  const auto engine = make_encoder_engine({.path = path.string(), .threads = 1});
  wait_loaded(*engine);
  ASSERT_EQ(engine->status().state, State::ready) << engine->status().reason;

  EmbeddingRequest request =
      texts({"granite", "a b c", "basalt", "a b c", "b " + std::string(400, 'a')});
  request.task = EmbeddingTask::rank;
  request.truncation = Truncation::end;
  const auto begun = engine->embed(request, {});
  ASSERT_TRUE(begun) << begun.error().message;
  const auto outcome = outcome_of(**begun);
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_TRUE(outcome->scores);
  ASSERT_EQ(outcome->vectors.size(), 4u);
  EXPECT_EQ(outcome->vectors[0].values.size(), 1u);
  EXPECT_NEAR(outcome->vectors[0].values[0], outcome->vectors[2].values[0], 1e-4);
  EXPECT_NE(outcome->vectors[0].values[0], outcome->vectors[1].values[0]);
  EXPECT_EQ(outcome->vectors[0].tokens, 3 + 1) << "the query is counted once";
  EXPECT_EQ(outcome->vectors[1].tokens, 1);

  const auto other = engine->embed(texts({"granite"}), {});
  ASSERT_TRUE(other);
  EXPECT_THAT(outcome_of(**other).error().error.message, HasSubstr("makes no embeddings"));
}

}  // namespace
}  // namespace craton::engines::llama
