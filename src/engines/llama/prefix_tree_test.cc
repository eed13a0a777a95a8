#include "engines/llama/prefix_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace craton::engines::llama {
namespace {

using Tokens = std::vector<Token>;

int holding(PrefixTree& tree, const Tokens& tokens) {
  const int sequence = tree.take().value();
  tree.append(sequence, tokens);
  return sequence;
}

TEST(PrefixTree, FindsTheLongestBeginningThatSomebodyHolds) {
  PrefixTree tree(4);
  EXPECT_EQ(tree.longest(Tokens{1, 2}).length, 0);
  const int first = holding(tree, {1, 2, 3, 4});
  const int second = holding(tree, {1, 2, 9});
  EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 7}).sequence, first);
  EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 7}).length, 3);
  EXPECT_EQ(tree.longest(Tokens{1, 2, 9, 9}).sequence, second);
  EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 4, 5}).length, 4);
  EXPECT_EQ(tree.longest(Tokens{2}).length, 0);
  EXPECT_EQ(tree.longest(Tokens{}).length, 0);
}

TEST(PrefixTree, CountsWhatIsSharedOnce) {
  PrefixTree tree(4);
  const int first = holding(tree, {1, 2, 3, 4});
  const int second = tree.take().value();
  tree.share(first, second, 3);
  EXPECT_EQ(tree.cells(), 4);
  tree.append(second, Tokens{8, 9});
  EXPECT_EQ(tree.cells(), 6);
  EXPECT_EQ(tree.length(second), 5);
  EXPECT_EQ(tree.exclusive(first), 1);
  EXPECT_EQ(tree.exclusive(second), 2);
  tree.give_back(first);
  EXPECT_EQ(tree.cells(), 5);
  EXPECT_EQ(tree.exclusive(second), 5);
  tree.append(second, Tokens{10});
  EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 8, 9, 10, 11}).length, 6);
}

TEST(PrefixTree, TellsWhatIsPinned) {
  PrefixTree tree(4);
  const int first = holding(tree, {1, 2, 3, 4});
  const int second = tree.take().value();
  tree.share(first, second, 2);
  tree.append(second, Tokens{8});
  EXPECT_EQ(tree.pinned_cells(), 5);
  EXPECT_EQ(tree.oldest_unpinned(), std::nullopt);
  tree.unpin(first);
  EXPECT_EQ(tree.pinned_cells(), 3);
  EXPECT_EQ(tree.longest(Tokens{1, 2, 3, 4}).pinned, 2);
  tree.unpin(second);
  EXPECT_EQ(tree.pinned_cells(), 0);
  EXPECT_EQ(tree.oldest_unpinned(), first);
  tree.touch(first);
  EXPECT_EQ(tree.oldest_unpinned(), second);
}

TEST(PrefixTree, HasAsManySequencesAsItWasTold) {
  PrefixTree tree(2);
  const int first = tree.take().value();
  EXPECT_TRUE(tree.take());
  EXPECT_FALSE(tree.take());
  tree.give_back(first);
  EXPECT_EQ(tree.take(), first);
}

/// The cache without the tree: each sequence's cells by number, tokens by cell.
struct Plain {
  std::map<int, Tokens> cells;
  std::map<int, bool> pinned;
  Tokens token_of;

  Tokens tokens(int sequence) const {
    Tokens all;
    for (const int cell : cells.at(sequence)) all.push_back(token_of[cell]);
    return all;
  }
  int distinct(bool pinned_only) const {
    std::set<int> all;
    for (const auto& [sequence, its] : cells) {
      if (!pinned_only || pinned.at(sequence)) all.insert(its.begin(), its.end());
    }
    return static_cast<int>(all.size());
  }
  int longest(const Tokens& wanted) const {
    int best = 0;
    for (const auto& [sequence, its] : cells) {
      const Tokens held = tokens(sequence);
      const auto common = std::ranges::mismatch(held, wanted).in1 - held.begin();
      best = std::max(best, static_cast<int>(common));
    }
    return best;
  }
  int exclusive(int sequence) const {
    std::multiset<int> all;
    for (const auto& [other, its] : cells) all.insert(its.begin(), its.end());
    return static_cast<int>(
        std::ranges::count_if(cells.at(sequence), [&](int cell) { return all.count(cell) == 1; }));
  }
};

class RandomDeeds : public testing::TestWithParam<int> {};

TEST_P(RandomDeeds, AgreeWithAPlainListOfCells) {
  std::minstd_rand random(static_cast<unsigned>(GetParam()) + 1);
  const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
  const auto some_tokens = [&](int most) {
    Tokens tokens(static_cast<std::size_t>(below(most + 1)));
    for (Token& token : tokens) token = below(3);
    return tokens;
  };
  PrefixTree tree(6);
  Plain plain;
  for (int deed = 0; deed < 400; ++deed) {
    auto someone = plain.cells.begin();
    if (!plain.cells.empty()) std::advance(someone, below(static_cast<int>(plain.cells.size())));
    switch (below(6)) {
      case 0: {
        const Tokens wanted = some_tokens(12);
        const PrefixTree::Match match = tree.longest(wanted);
        ASSERT_EQ(match.length, plain.longest(wanted));
        const auto taken = tree.take();
        ASSERT_EQ(taken.has_value(), plain.cells.size() < 6);
        if (!taken) break;
        plain.pinned[*taken] = true;
        Tokens& its = plain.cells[*taken];
        if (match.length == 0) break;
        const int length = 1 + below(match.length);
        tree.share(match.sequence, *taken, length);
        const Tokens& from = plain.cells[match.sequence];
        its.assign(from.begin(), from.begin() + length);
        break;
      }
      case 1:
      case 2: {
        if (plain.cells.empty()) break;
        const Tokens more = some_tokens(4);
        tree.append(someone->first, more);
        for (const Token token : more) {
          someone->second.push_back(static_cast<int>(plain.token_of.size()));
          plain.token_of.push_back(token);
        }
        break;
      }
      case 3: {
        if (plain.cells.empty()) break;
        const int length = below(static_cast<int>(someone->second.size()) + 1);
        tree.keep(someone->first, length);
        someone->second.resize(static_cast<std::size_t>(length));
        break;
      }
      case 4:
        if (plain.cells.empty()) break;
        tree.unpin(someone->first);
        plain.pinned[someone->first] = false;
        break;
      case 5:
        if (plain.cells.empty() || below(2) == 0) break;
        tree.give_back(someone->first);
        plain.pinned.erase(someone->first);
        plain.cells.erase(someone);
        break;
    }
    ASSERT_EQ(tree.cells(), plain.distinct(false));
    ASSERT_EQ(tree.pinned_cells(), plain.distinct(true));
    for (const auto& [sequence, its] : plain.cells) {
      ASSERT_EQ(tree.length(sequence), static_cast<int>(its.size()));
      ASSERT_EQ(tree.exclusive(sequence), plain.exclusive(sequence));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDeeds, testing::Range(0, 50));

}  // namespace
}  // namespace craton::engines::llama
