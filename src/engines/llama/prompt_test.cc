#include "engines/llama/prompt.h"

#include <gtest/gtest.h>

namespace craton::engines::llama {
namespace {

ImagePiece image(int cells, int positions) { return {.cells = cells, .positions = positions}; }

TEST(Prompt, OfTextHasAPositionForEachCell) {
  const Prompt prompt(std::vector<Token>{5, 6, 7});
  EXPECT_EQ(prompt.cells(), 3);
  EXPECT_FALSE(prompt.has_images());
  EXPECT_TRUE(prompt.ends_with_token());
  EXPECT_EQ(prompt.image_from(0), nullptr);
  for (int cell = 0; cell < 10; ++cell) EXPECT_EQ(prompt.position_of(cell), cell);
}

TEST(Prompt, CountsPositionsPastImagesAsTheySay) {
  Prompt prompt(std::vector<Token>{1, 2});
  prompt.add(image(4, 2));
  prompt.add(image(3, 3));
  prompt.add(std::vector<Token>{3});
  prompt.add(image(1, 2));
  EXPECT_FALSE(prompt.ends_with_token());
  prompt.add(ImagePiece{.tokens = {4, 5}, .cells = 2, .positions = 2});
  EXPECT_TRUE(prompt.ends_with_token());
  const std::vector<int> expected{0, 1, 2, 2, 2, 2, 4, 4, 4, 7, 8, 10, 11, 12, 13};
  for (int cell = 0; cell < static_cast<int>(expected.size()); ++cell) {
    EXPECT_EQ(prompt.position_of(cell), expected[cell]) << cell;
  }
  EXPECT_EQ(prompt.cells(), 13);
  EXPECT_EQ(prompt.image_from(0)->begin, 2);
  EXPECT_EQ(prompt.image_from(2)->begin, 2);
  EXPECT_EQ(prompt.image_from(3)->begin, 6);
  EXPECT_EQ(prompt.image_from(7)->begin, 10);
  EXPECT_EQ(prompt.image_from(11), nullptr);
}

TEST(Prompt, LeavesOutImagesWithoutCells) {
  Prompt prompt(std::vector<Token>{1});
  prompt.add(image(0, 0));
  EXPECT_FALSE(prompt.has_images());
  EXPECT_EQ(prompt.cells(), 1);
}

}  // namespace
}  // namespace craton::engines::llama
