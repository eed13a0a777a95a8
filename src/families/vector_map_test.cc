#include "families/vector_map.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"

namespace craton::families {
namespace {

std::vector<std::vector<float>> random_vectors(std::size_t count, std::size_t size) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> vectors(count, std::vector<float>(size));
  // Every other one resembles the one before it.
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < size; ++k) {
      vectors[i][k] = normal(random) + (i % 2 ? vectors[i - 1][k] : 0);
    }
  }
  return vectors;
}

double length_of(std::span<const float> vector) {
  double sum = 0;
  for (const float number : vector) sum += double{number} * number;
  return std::sqrt(sum);
}

class VectorMap : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(VectorMap, KeepsCosinesAndLengths) {
  const auto [from, to] = GetParam();
  const auto vectors = random_vectors(24, static_cast<std::size_t>(from));
  const bool exact = to >= from;
  // Narrowing: five deviations of what vector_map.h says.
  const double allowed =
      exact ? 1e-5 : 5 * std::sqrt((1.0 / to) * (1 - static_cast<double>(to) / from));
  for (std::size_t i = 0; i + 1 < vectors.size(); ++i) {
    const auto a = mapped(vectors[i], to);
    const auto b = mapped(vectors[i + 1], to);
    ASSERT_EQ(a.size(), static_cast<std::size_t>(to));
    EXPECT_NEAR(cosine(a, b), cosine(vectors[i], vectors[i + 1]), allowed);
    const double ratio = length_of(a) / length_of(vectors[i]);
    EXPECT_NEAR(ratio, 1, exact ? 1e-5 : 0.25);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, VectorMap,
    testing::Values(std::pair(384, 384), std::pair(384, 512), std::pair(384, 1024),
                    std::pair(384, 1536), std::pair(384, 3072), std::pair(384, 256),
                    std::pair(768, 1024), std::pair(768, 1536), std::pair(768, 256),
                    std::pair(1024, 384), std::pair(1, 256), std::pair(7, 8), std::pair(513, 512)),
    [](const auto& row) {
      return std::to_string(row.param.first) + "_to_" + std::to_string(row.param.second);
    });

TEST(VectorMap, IsTheSameEachTime) {
  const std::vector<float> vector{1, 2, 3};
  EXPECT_EQ(mapped(vector, 5), mapped(vector, 5));
}

TEST(VectorMap, LeavesNeighboursIndependent) {
  const auto vectors = random_vectors(1, 384);
  const auto wide = mapped(vectors.front(), 1536);
  double product = 0;
  for (std::size_t i = 1; i < wide.size(); ++i) product += wide[i - 1] * wide[i];
  EXPECT_LT(std::abs(product) / length_of(wide) / length_of(wide), 0.3);
}

TEST(UnitVectors, ComeOfAnythingWithALength) {
  std::vector<float> vector{3, 4};
  normalize(vector);
  EXPECT_EQ(vector, (std::vector<float>{0.6F, 0.8F}));
  std::vector<float> nothing(4);
  normalize(nothing);
  EXPECT_EQ(nothing, (std::vector<float>{0.5F, 0.5F, 0.5F, 0.5F}));
}

std::string text_of(const std::vector<float>& vector, VectorType type) {
  std::string text;
  append_vector(vector, type, text);
  return text;
}

TEST(VectorTypes, AreWrittenAsTheirNumbers) {
  const std::vector<float> vector{0.5F, -0.5F, 0.0F, 1e-9F, -1, 0.25F, 1, -0.125F, 0.75F};
  EXPECT_EQ(text_of(vector, VectorType::float32),
            "[0.5,-0.5,0.0,0.000000001,-1.0,0.25,1.0,-0.125,0.75]");
  EXPECT_EQ(text_of(vector, VectorType::int8), "[48,-48,0,0,-96,24,96,-12,72]");
  EXPECT_EQ(text_of(vector, VectorType::uint8), "[176,80,128,128,32,152,224,116,200]");
  EXPECT_EQ(text_of(vector, VectorType::ubinary), "[150,128]");
  EXPECT_EQ(text_of(vector, VectorType::binary), "[22,0]");
  std::string bits;
  append_bits(vector, bits);
  EXPECT_EQ(bits, "[1,0,0,1,0,1,1,0,1]");
}

TEST(VectorTypes, ReadBackAsTheFloatsThatTheyWere) {
  for (const float number : {1e-38F, 3.4e38F, 0.1F, -1.17549435e-38F, 1e-45F}) {
    const std::string text = text_of({number}, VectorType::float32);
    EXPECT_EQ(std::strtof(text.c_str() + 1, nullptr), number) << text;
    EXPECT_TRUE(json::parse(text)) << text;
  }
}

TEST(VectorTypes, StayWithinAByte) {
  for (const VectorType type : {VectorType::int8, VectorType::uint8}) {
    const int offset = type == VectorType::uint8 ? 128 : 0;
    EXPECT_EQ(text_of(std::vector<float>(100, 1.0F), type).substr(1, 3),
              std::to_string(127 + offset));
    EXPECT_EQ(text_of({-5.0F}, type), "[" + std::to_string(-128 + offset) + "]");
  }
}

}  // namespace
}  // namespace craton::families
