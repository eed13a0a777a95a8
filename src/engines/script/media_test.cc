// Declared vectors, scores and pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engines/script/hash_vector.h"
#include "engines/script/rule_set.h"
#include "media/picture_encode.h"

namespace craton::engines::script {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) product += double{a[i]} * b[i];
  return product;
}

std::vector<float> hashed(std::string text, int dimension = 256) {
  return hash_vector({.text = std::move(text)}, dimension);
}

TEST(HashVector, IsOfLengthOneAndTheSameForTheSameText) {
  for (const char* text : {"granite", "", "!?", "서울은 대한민국의 수도다", "\xff\x80"}) {
    for (const int dimension : {1, 2, 256, 3072}) {
      const auto vector = hashed(text, dimension);
      ASSERT_EQ(vector.size(), static_cast<std::size_t>(dimension));
      EXPECT_NEAR(cosine(vector, vector), 1, 1e-5) << text << dimension;
      EXPECT_EQ(vector, hashed(text, dimension));
    }
  }
}

TEST(HashVector, IsNearerWhereWordsAreShared) {
  for (const int dimension : {256, 1024}) {
    const auto question = hashed("Where is granite found?", dimension);
    const auto near = hashed("GRANITE is found in continental crust.", dimension);
    const auto far = hashed("Interest rates were raised by the bank.", dimension);
    EXPECT_GT(cosine(question, near), cosine(question, far) + 0.3);
    EXPECT_LT(std::abs(cosine(question, far)), 0.25);
    EXPECT_GT(cosine(hashed("대한민국의 수도는 서울이다", dimension),
                     hashed("서울은 어디에 있나", dimension)),
              cosine(hashed("대한민국의 수도는 서울이다", dimension),
                     hashed("금리가 올랐다", dimension)) +
                  0.02);
  }
}

TEST(HashVector, DoesNotChange) {
  // Stored vectors are compared with new ones: whoever has to change this breaks them.
  const auto vector = hashed("Craton, 대륙", 8);
  std::vector<int> thousandths;
  for (const float number : vector)
    thousandths.push_back(static_cast<int>(std::lround(number * 1000)));
  EXPECT_THAT(thousandths, ElementsAre(88, -526, 0, -88, -351, -526, 175, -526));
}

TEST(HashVector, TakesImagesIn) {
  const EmbeddingItem one{.image = ImageBlock{"png", "one"}};
  const EmbeddingItem other{.image = ImageBlock{"png", "other"}};
  EXPECT_LT(std::abs(cosine(hash_vector(one, 1024), hash_vector(other, 1024))), 0.4);
  EXPECT_EQ(hash_vector(one, 64), hash_vector(one, 64));
}

/// A folder with rules and what they name.
class Media : public testing::Test {
 protected:
  Media() {
    std::string pattern = (std::filesystem::temp_directory_path() / "craton-media-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    const Picture red{2, 1, {255, 0, 0, 255, 255, 0, 0, 255}};
    png = media::encode_picture(red, media::ImageFormat::png);
    webp = media::encode_picture(red, media::ImageFormat::webp);
    write("red.png", png);
    write("red.webp", webp);
  }
  ~Media() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }

  std::string refusal_of(std::string_view answer) const {
    const auto file =
        parse_rules("rules:\n- answer: " + std::string(answer) + "\n", {"rules.yaml", folder});
    return file ? "none" : file.error().message;
  }

  void load(std::string_view yaml) {
    Result<RulesFile> file = parse_rules(yaml, {"rules.yaml", folder});
    ASSERT_TRUE(file) << file.error().message;
    set = std::make_shared<RuleSet>(std::move(*file));
  }
  void load_answer(std::string_view answer) {
    load("rules:\n- name: one\n  answer: " + std::string(answer) + "\n");
  }

  std::shared_ptr<Engine> claim(Wanted wanted, const std::string& text = "x",
                                const std::string& body = "{}") {
    Conversation conversation;
    append_turn(conversation, Role::user, text);
    const NativeCall native{body, ""};
    const Request request{.operation = "InvokeModel",
                          .model_id = "m",
                          .conversation = conversation,
                          .wanted = wanted,
                          .native = &native};
    rules::RequestView view(request);
    auto engine = set->claim(view, struck);
    if (!engine) why_none = set->why_none(view);
    return engine;
  }

  template <class T>
  static typename Pending<T>::Outcome outcome_of(Pending<T>& pending) {
    while (true) {
      if (auto outcome = pending.take()) return std::move(*outcome);
      std::this_thread::sleep_for(1ms);
    }
  }

  static EmbeddingRequest texts(std::vector<std::string> all, int dimension = 4) {
    EmbeddingRequest request;
    for (std::string& text : all) request.items.push_back({.text = std::move(text)});
    request.dimension = dimension;
    return request;
  }
  static EmbeddingRequest ranking(std::vector<std::string> all) {
    EmbeddingRequest request = texts(std::move(all), 0);
    request.task = EmbeddingTask::rank;
    return request;
  }

  Embeddings embedded(const EmbeddingRequest& request) {
    const bool ranks = request.task == EmbeddingTask::rank;
    const auto engine = claim(ranks ? Wanted::ranking : Wanted::embeddings);
    if (!engine) return {};
    auto begun = engine->embed(request, {});
    EXPECT_TRUE(begun) << begun.error().message;
    return begun ? *outcome_of(**begun) : Embeddings();
  }
  std::string embed_refusal(const EmbeddingRequest& request) {
    const bool ranks = request.task == EmbeddingTask::rank;
    const auto begun = claim(ranks ? Wanted::ranking : Wanted::embeddings)->embed(request, {});
    if (begun) return "none";
    EXPECT_EQ(begun.error().code, ErrorCode::model_error);
    return begun.error().message;
  }

  std::filesystem::path folder;
  std::string png;
  std::string webp;
  std::shared_ptr<RuleSet> set;
  faults::Struck struck;
  std::string why_none;
};

TEST_F(Media, OneVectorIsForEachTextAndFilledUpWithZeros) {
  load_answer("{embedding: [0.5, -2]}");
  const Embeddings made = embedded(texts({"one two", "three"}));
  ASSERT_EQ(made.vectors.size(), 2u);
  EXPECT_THAT(made.vectors[0].values, ElementsAre(0.5F, -2, 0, 0));
  EXPECT_EQ(made.vectors[1].values, made.vectors[0].values);
  EXPECT_TRUE(made.declared);
  EXPECT_EQ(made.vectors[0].tokens, 2);
  EXPECT_EQ(made.vectors[1].tokens, 1);
}

TEST_F(Media, AListHasAVectorForEachText) {
  load_answer("{embedding: [[1, 2], [3, 4]], usage: {input-tokens: 9}}");
  const Embeddings made = embedded(texts({"a", "b"}, 2));
  EXPECT_THAT(made.vectors[1].values, ElementsAre(3, 4));
  EXPECT_EQ(made.vectors[0].tokens + made.vectors[1].tokens, 9);
  EXPECT_EQ(embedded(texts({"a"}, 2)).vectors.size(), 1u);
  EXPECT_EQ(
      embed_refusal(texts({"a", "b", "c"}, 2)),
      "rules.yaml#one: it declares 2 embeddings, and 3 are asked for. Declare as many, one for "
      "all, or hash.");
}

TEST_F(Media, AVectorThatIsTooLongIsRefused) {
  load_answer("{embedding: [1, 2, 3]}");
  EXPECT_EQ(
      embed_refusal(texts({"a"}, 2)),
      "rules.yaml#one: it declares an embedding of 3 numbers, and 2 are asked for. Declare as "
      "many, fewer (zeros fill them up), or hash.");
}

TEST_F(Media, VectorsMayBeInAFile) {
  write("vectors.json", "[[0.25, 1e-3], [3, 4]]");
  load_answer("{embedding: {file: vectors.json}}");
  EXPECT_THAT(embedded(texts({"a", "b"}, 2)).vectors[0].values, ElementsAre(0.25F, 0.001F));
  write("vector.json", "[1]");
  load_answer("{embedding: {file: vector.json}}");
  EXPECT_THAT(embedded(texts({"a", "b"}, 1)).vectors[1].values, ElementsAre(1));
}

TEST_F(Media, HashesHaveTheDimensionThatIsAskedForAndRank) {
  load_answer("{embedding: hash}");
  EXPECT_EQ(embedded(texts({"a"}, 256)).vectors[0].values, hashed("a", 256));
  const Embeddings made = embedded(ranking({"granite", "money", "granite rocks"}));
  ASSERT_EQ(made.vectors.size(), 3u);
  EXPECT_FALSE(made.scores);
  EXPECT_FALSE(made.declared);
  EXPECT_GT(cosine(made.vectors[0].values, made.vectors[2].values),
            cosine(made.vectors[0].values, made.vectors[1].values));
}

TEST_F(Media, ScoresAreOfDocumentsInTheirOrder) {
  load_answer("{scores: [0.25, 1]}");
  const Embeddings made = embedded(ranking({"query", "a", "b c"}));
  ASSERT_EQ(made.vectors.size(), 2u);
  EXPECT_TRUE(made.scores && made.declared);
  EXPECT_THAT(made.vectors[0].values, ElementsAre(0.25F));
  EXPECT_EQ(made.vectors[0].tokens + made.vectors[1].tokens, 4);
  EXPECT_THAT(embed_refusal(ranking({"query", "a", "b", "c"})),
              HasSubstr("declares 2 scores, and there are 3 documents"));
  EXPECT_EQ(claim(Wanted::embeddings), nullptr) << "scores are no vectors";
}

TEST_F(Media, RulesAnswerInTheirKindAlone) {
  load(
      "rules:\n- {name: words, answer: hi}\n- {name: vectors, answer: {embedding: hash}}\n"
      "- {name: both, match: {prompt: p}, answer: {image: red.png, text: seen}}\n"
      "- {name: none, match: {prompt: q}, answer: {fault: ThrottlingException}}\n");
  EXPECT_EQ(claim(Wanted::text)->model(), "rules.yaml#words");
  EXPECT_EQ(claim(Wanted::embeddings)->model(), "rules.yaml#vectors");
  EXPECT_EQ(claim(Wanted::ranking)->model(), "rules.yaml#vectors");
  EXPECT_EQ(claim(Wanted::drawings), nullptr);
  EXPECT_THAT(why_none, HasSubstr("the nearest is 'both'"));
  EXPECT_EQ(claim(Wanted::drawings, "p")->model(), "rules.yaml#both");
  EXPECT_EQ(claim(Wanted::drawings, "q")->model(), "rules.yaml#none");
  EXPECT_EQ(struck.size(), 1u);
}

TEST_F(Media, ConditionsSeeTheNativeBody) {
  load("rules:\n- {match: {json: {body.input_type: search_query}}, answer: {embedding: hash}}\n");
  EXPECT_TRUE(claim(Wanted::embeddings, "x", R"({"input_type":"search_query"})"));
  EXPECT_FALSE(claim(Wanted::embeddings, "x", R"({"input_type":"clustering"})"));
}

TEST_F(Media, PicturesAreTheFilesThatTheyAre) {
  load_answer("{image: [red.png, red.webp]}");
  DrawingRequest request{.width = 512, .height = 512, .count = 2};
  request.mask = Mask{1, 1, {255}};
  const auto drawn = outcome_of(**claim(Wanted::drawings)->draw(request, {}));
  ASSERT_TRUE(drawn);
  EXPECT_THAT(drawn->files, ElementsAre(PictureFile{media::ImageFormat::png, png},
                                        PictureFile{media::ImageFormat::webp, webp}));
  EXPECT_EQ(drawn->mask, request.mask);
  request.count = 3;
  const auto refused = claim(Wanted::drawings)->draw(request, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("declares 2 pictures, and 3 are asked for"));
  load_answer("{image: red.webp}");
  EXPECT_EQ(outcome_of(**claim(Wanted::drawings)->draw(request, {}))->files.size(), 3u);
}

TEST_F(Media, CanvasDrawsWhereItIsNamed) {
  load_answer("{image: canvas, pacing: {first-token: 30ms}}");
  const auto began = std::chrono::steady_clock::now();
  const auto engine = claim(Wanted::drawings);
  const auto drawn = outcome_of(**engine->draw({.width = 64, .height = 64}, {}));
  ASSERT_TRUE(drawn);
  EXPECT_EQ(drawn->pictures.front().width, 64);
  EXPECT_EQ(drawn->stand_in, "drawn without a model");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 30ms);
}

TEST_F(Media, ComesAtItsTimeOrNotAtAll) {
  load_answer("{embedding: hash, pacing: {first-token: 20ms}}");
  const auto began = std::chrono::steady_clock::now();
  (void)embedded(texts({"a"}));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
  load_answer("{embedding: hash, image: canvas, pacing: {first-token: 1m}}");
  auto engine = claim(Wanted::embeddings);
  Limits limits;
  limits.deadline = std::chrono::steady_clock::now() + 20ms;
  EXPECT_EQ(outcome_of(**engine->embed(texts({"a"}), limits)).error().error.code,
            ErrorCode::model_timeout);
  (*engine->embed(texts({"a"}), {}))->cancel();
  (*engine->draw({.width = 64, .height = 64}, {}))->cancel();
  const auto left = *engine->embed(texts({"a"}), {});
  engine.reset();
  set.reset();
  EXPECT_EQ(outcome_of(*left).error().error.code, ErrorCode::service_unavailable);
}

TEST_F(Media, SaysWhatIsWrongAndWhere) {
  write("words.txt", "words");
  write("cut.png", png.substr(0, png.size() / 2));
  write("mixed.json", "[[1], [1, 2]]");
  write("none.json", "[1, \"a\"]");
  const std::pair<const char*, const char*> rows[] = {
      {"{embedding: hsh}", "rules.yaml:2: embedding: expected hash, numbers such as"},
      {"{embedding: []}", "there are no numbers"},
      {"{embedding: [1, a]}", "expected a number from"},
      {"{embedding: [1e39]}", "expected a number from"},
      {"{embedding: [.nan]}", "expected a number from"},
      {"{embedding: [[1], [2, 3]]}", "vector 2 has 2 numbers, and the first has 1"},
      {"{embedding: [[1], 2]}", "expected a list of numbers, as before it"},
      {"{embedding: {}}", "expected hash"},
      {"{embedding: {file: gone.json}}", "file: 'gone.json' cannot be read"},
      {"{embedding: {file: words.txt}}", "file: 'words.txt': "},
      {"{embedding: {file: mixed.json}}", "vector 2 has 2 numbers"},
      {"{embedding: {file: none.json}}", "'none.json' is no JSON list of numbers"},
      {"{scores: 0.5}", "scores: expected a list"},
      {"{scores: [1.5]}", "scores: expected a number from 0 to 1"},
      {"{image: gone.png}", "rules.yaml:2: image: 'gone.png' cannot be read"},
      {"{image: words.txt}", "image: 'words.txt': "},
      {"{image: cut.png}", "image: 'cut.png': "},
      {"{image: []}", "image: expected at least one file"},
      {"{image: red.png, stop-reason: end_turn}", "go with an answer in words"},
      {"{image: red.png}\n  answers: [hi]", "answers of one rule are of one kind"},
  };
  for (const auto& [answer, message] : rows) {
    EXPECT_THAT(refusal_of(answer), HasSubstr(message)) << answer;
  }
}

}  // namespace
}  // namespace craton::engines::script
