#include "base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace craton {
namespace {

constexpr std::array<std::string_view, 4> names{"model", "host", "port", "catalog"};

TEST(Nearest, FindsASlipOfTheKeys) {
  EXPECT_EQ(nearest("modle", names), "model");
  EXPECT_EQ(nearest("prt", names), "port");
  EXPECT_EQ(nearest("catalogue", names), "catalog");
}

TEST(Nearest, FindsNothingInNonsense) { EXPECT_EQ(nearest("zzzzzzzz", names), ""); }

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", "abc"), 0u);
}

}  // namespace
}  // namespace craton
