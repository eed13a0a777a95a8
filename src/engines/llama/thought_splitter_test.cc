#include "engines/llama/thought_splitter.h"

#include <gtest/gtest.h>

namespace craton::engines::llama {
namespace {

struct Case {
  std::string_view text;
  bool in_thought;
  const char* thought;
  const char* answer;
};

const Case cases[] = {
    {"Paris.", false, "", "Paris."},
    {"<think>\nFrance.\n</think>\n\nParis.", false, "France.", "Paris."},
    {"\n<think></think>Paris.", false, "", "Paris."},
    {"France.</think>\nParis.", true, "France.", "Paris."},
    {"<thinking>", false, "", "<thinking>"},
    {"A <think>b</think>", false, "", "A <think>b</think>"},
    {"<think>a < b <</think>c", false, "a < b <", "c"},
    {"<think>a </thin </think>c</think>", false, "a </thin", "c</think>"},
    {"<think>never closed ", false, "never closed ", ""},
    {"<thi", false, "", "<thi"},
    {" \n ", false, "", " \n "},
};

TEST(ThoughtSplitter, TellsThoughtsFromTheAnswerHoweverTheyAreCut) {
  for (const Case& row : cases) {
    for (std::size_t piece = 1; piece <= row.text.size(); ++piece) {
      ThoughtSplitter splitter(row.in_thought);
      ThoughtSplitter::Parts all;
      for (std::size_t at = 0; at < row.text.size(); at += piece) {
        const auto parts = splitter.add(row.text.substr(at, piece));
        all.thought += parts.thought;
        all.answer += parts.answer;
      }
      const auto rest = splitter.finish();
      EXPECT_EQ(all.thought + rest.thought, row.thought) << row.text << piece;
      EXPECT_EQ(all.answer + rest.answer, row.answer) << row.text << piece;
    }
  }
}

TEST(ThoughtSplitter, KnowsWhetherATagMayStillCome) {
  ThoughtSplitter splitter(false);
  EXPECT_TRUE(splitter.may_open("\n<th"));
  EXPECT_FALSE(splitter.may_open("x"));
  splitter.add("<thi");
  EXPECT_TRUE(splitter.may_open("nk>so"));
  EXPECT_FALSE(splitter.may_open("ng"));
  splitter.add("nk>");
  EXPECT_TRUE(splitter.in_thought());
}

}  // namespace
}  // namespace craton::engines::llama
