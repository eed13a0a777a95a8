#include "models/bert_gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "models/gguf_writer.h"
#include "models/safetensors.h"
#include "models/test_encoder.h"

namespace craton::models {
namespace {

using testing::HasSubstr;

std::string converted(const SentenceTransformer& files) {
  std::string out;
  const auto put = [&out](std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  };
  const Result<void> written = write_bert_gguf(files, {"tiny", "MIT"}, put);
  return written ? out : "refused: " + written.error().message;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(BertGguf, HasTheTensorsAndKeysThatLlamaCppLooksFor) {
  const std::string file = converted(tiny_encoder());
  EXPECT_TRUE(file.starts_with("GGUF"));
  for (const char* part : {"bert.embedding_length", "bert.pooling_type",
                           "blk.0.attn_output_norm.weight", "blk.0.ffn_down.bias",
                           "token_types.weight", "craton.sequence_tokens", "craton.prompt.query",
                           "\xe2\x96\x81"
                           "a"}) {
    EXPECT_THAT(file, HasSubstr(part));
  }
}

TEST(BertGguf, IsTheSameEachTime) {
  EXPECT_EQ(converted(tiny_encoder()), converted(tiny_encoder()));
}

struct Broken {
  const char* name;
  std::string SentenceTransformer::* file;
  const char* what;
  const char* by;
  const char* refusal;
};
const Broken broken[] = {
    {"no_bert", &SentenceTransformer::config, "\"bert\"", "\"roberta\"", "no BERT with GELU"},
    {"no_width", &SentenceTransformer::config, "hidden_size", "width", "lacks hidden_size"},
    {"negative", &SentenceTransformer::config, ":8,\"layer", ":-8,\"layer", "intermediate_size"},
    {"no_json", &SentenceTransformer::config, "{", "", "config.json is no JSON object"},
    {"pooling", &SentenceTransformer::pooling, "true", "false", "none of mean, CLS"},
    {"ids", &SentenceTransformer::tokenizer, ":10", ":11", "ids are not 0 to"},
    {"same_ids", &SentenceTransformer::tokenizer, ":10", ":9", "ids are not 0 to"},
    {"kind", &SentenceTransformer::tokenizer, "WordPiece", "BPE", "no WordPiece vocabulary"},
    {"special", &SentenceTransformer::tokenizer, "[MASK]", "[M]", "has no [MASK]"},
    {"tensor", &SentenceTransformer::weights, "word_emb", "wxyz_emb", "what is the tensor"},
    {"type", &SentenceTransformer::weights, "F32", "I32", "weights in I32"},
    {"length", &SentenceTransformer::weights, "[11,4]", "[12,4]", "other bytes than its shape"},
};

class BrokenEncoder : public testing::TestWithParam<Broken> {};

TEST_P(BrokenEncoder, IsRefusedWithItsFault) {
  SentenceTransformer files = tiny_encoder();
  std::string& text = files.*GetParam().file;
  text = replaced(text, GetParam().what, GetParam().by);
  EXPECT_THAT(converted(files),
              testing::AllOf(HasSubstr("refused: "), HasSubstr(GetParam().refusal)));
}

INSTANTIATE_TEST_SUITE_P(Files, BrokenEncoder, testing::ValuesIn(broken),
                         [](const auto& row) { return row.param.name; });

TEST(Safetensors, GiveTensorsWithTheirBytes) {
  TensorFile file;
  file.add("a", {2, 3}, 1);
  file.add("b", {1}, 2);
  const std::string bytes = file.text();
  const auto tensors = read_safetensors(bytes);
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 2u);
  EXPECT_EQ((*tensors)[0].name, "a");
  EXPECT_EQ((*tensors)[0].shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ((*tensors)[0].bytes.size(), 24u);
  EXPECT_EQ((*tensors)[1].bytes.size(), 4u);
}

TEST(Safetensors, ThatAreCutOrUntrueAreRefused) {
  TensorFile file;
  file.add("a", {2, 3});
  const std::string whole = file.text();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_safetensors(std::string_view(whole).substr(0, size))) << size;
  }
  for (const char* header : {
           R"({"a":1})",
           R"({"a":{}})",
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,5]}})",
           R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
           R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})",
           R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})",
           R"([])",
       }) {
    EXPECT_FALSE(read_safetensors(TensorFile::file_of(header, "1234"))) << header;
  }
}

float single_of(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const float mantissa = static_cast<float>(half & 1023);
  const float size =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return half & 0x8000 ? -size : size;
}

TEST(Halves, AreTheNearestThereAre) {
  for (std::uint32_t half = 0; half < 0x7c00; ++half) {
    const float number = single_of(static_cast<std::uint16_t>(half));
    EXPECT_EQ(half_of(number), half);
    EXPECT_EQ(half_of(-number), half | 0x8000);
    if (half + 1 == 0x7c00) continue;
    const float next = single_of(static_cast<std::uint16_t>(half + 1));
    const float middle = (number + next) / 2;
    EXPECT_EQ(half_of(middle), half % 2 == 0 ? half : half + 1);
    EXPECT_EQ(half_of(std::nextafter(middle, 0.0F)), half);
    EXPECT_EQ(half_of(std::nextafter(middle, 1e9F)), half + 1);
  }
  EXPECT_EQ(half_of(1e9F), 0x7c00);
  EXPECT_EQ(half_of(65520.0F), 0x7c00);
  EXPECT_EQ(half_of(65519.0F), 0x7bff);
  EXPECT_EQ(half_of(std::numeric_limits<float>::quiet_NaN()) & 0x7c00, 0x7c00);
}

}  // namespace
}  // namespace craton::models
