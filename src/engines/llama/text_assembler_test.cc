#include "engines/llama/text_assembler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace craton::engines::llama {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> stop_sequences;
  std::string bytes;
  std::string text;
  std::string stopped_by;  ///< Empty: nothing did.
};

const Case cases[] = {
    {"plain_text", {}, "hello", "hello", ""},
    {"korean", {}, "대한민국", "대한민국", ""},
    {"stop_in_the_middle", {"STOP"}, "abSTOPcd", "ab", "STOP"},
    {"stop_at_the_start", {"a"}, "abc", "", "a"},
    {"stop_at_the_end", {"bc"}, "abc", "a", "bc"},
    {"nearly_a_stop", {"abcd"}, "abcabce", "abcabce", ""},
    {"a_stop_begins_within_a_false_start", {"aab"}, "aaab", "a", "aab"},
    {"the_first_complete_wins", {"world", "o"}, "hello world", "hell", "o"},
    {"the_longer_wins_when_complete_together", {"c", "abc"}, "xabcx", "x", "abc"},
    {"the_shorter_wins_when_complete_earlier", {"abc", "b"}, "abc", "a", "b"},
    {"equal_stops", {"x", "x"}, "axb", "a", "x"},
    {"empty_stops_stop_nothing", {"", ""}, "abc", "abc", ""},
    {"stop_of_many_bytes_a_character", {"입니다"}, "서울입니다.", "서울", "입니다"},
    {"characters_that_share_bytes_with_the_stop", {"입"}, "잆입", "잆", "입"},
    {"newlines", {"\n\n"}, "a\nb\n\nc", "a\nb", "\n\n"},
    {"nul_bytes", {std::string("\0", 1)}, std::string("a\0b", 3), "a", std::string("\0", 1)},
    {"held_back_text_comes_at_the_end", {"Human:"}, "bye Hum", "bye Hum", ""},
    {"a_lone_continuation_byte", {}, "a\x80z", "a\uFFFDz", ""},
    {"an_overlong_form", {}, "\xC0\xAF", "\uFFFD\uFFFD", ""},
    {"a_surrogate", {}, "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", ""},
    {"past_the_last_character", {}, "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", ""},
    {"cut_short_by_another_character", {}, "\xE2\x82z", "\uFFFDz", ""},
    {"cut_short_by_the_end", {}, "a\xF0\x9F\x98", "a", ""},
    {"broken_bytes_complete_a_stop", {"\uFFFD"}, "a\xF0\x9F.", "a", "\uFFFD"},
    {"a_stop_that_is_no_utf8", {"\xFF"}, "a\xFEz", "a", "\uFFFD"},
};

class TextAssembling : public testing::TestWithParam<Case> {};

struct Outcome {
  std::string text;
  std::string stopped_by;
};

Outcome assemble(const Case& row, const std::vector<std::string>& pieces) {
  TextAssembler assembler(row.stop_sequences);
  Outcome outcome;
  for (const std::string& piece : pieces) outcome.text += assembler.add(piece);
  outcome.text += assembler.finish();
  if (assembler.stopped_by()) outcome.stopped_by = *assembler.stopped_by();
  return outcome;
}

TEST_P(TextAssembling, GivesTheTextAtOnce) {
  const Outcome outcome = assemble(GetParam(), {GetParam().bytes});
  EXPECT_EQ(outcome.text, GetParam().text);
  EXPECT_EQ(outcome.stopped_by, GetParam().stopped_by);
}

TEST_P(TextAssembling, GivesTheSameTextByteByByteAndInAnyTwoPieces) {
  const std::string& bytes = GetParam().bytes;
  std::vector<std::vector<std::string>> cuts(1);
  for (const char byte : bytes) cuts[0].emplace_back(1, byte);
  for (std::size_t i = 0; i <= bytes.size(); ++i)
    cuts.push_back({bytes.substr(0, i), bytes.substr(i)});
  for (const auto& cut : cuts) {
    const Outcome outcome = assemble(GetParam(), cut);
    EXPECT_EQ(outcome.text, GetParam().text);
    EXPECT_EQ(outcome.stopped_by, GetParam().stopped_by);
  }
}

std::string name_of(const testing::TestParamInfo<Case>& row) { return row.param.name; }
INSTANTIATE_TEST_SUITE_P(Cases, TextAssembling, testing::ValuesIn(cases), name_of);

TEST(TextAssembler, GivesTextOutAsSoonAsItIsSafe) {
  TextAssembler assembler({"STOP"});
  EXPECT_EQ(assembler.add("hello S"), "hello ");
  EXPECT_EQ(assembler.add("T"), "");
  EXPECT_EQ(assembler.add("x"), "STx");
  EXPECT_EQ(assembler.add("\xEC\x84"), "");
  EXPECT_EQ(assembler.add("\x9C"), "서");
}

TEST(TextAssembler, GivesNothingAfterAStop) {
  TextAssembler assembler({"b"});
  EXPECT_EQ(assembler.add("ab"), "a");
  EXPECT_EQ(assembler.add("more"), "");
  EXPECT_EQ(assembler.finish(), "");
}

TEST(TextAssembler, FindsOneOfThousandsOfStopSequences) {
  std::vector<std::string> stops;
  for (int i = 0; i < 20'000; ++i) stops.push_back("stop" + std::to_string(i) + ";");
  TextAssembler assembler(stops);
  EXPECT_EQ(assembler.add(std::string(100'000, 's')).size(), 99'999u);
  EXPECT_EQ(assembler.add("top1234"), "");
  EXPECT_EQ(assembler.add("5;"), "");
  ASSERT_TRUE(assembler.stopped_by());
  EXPECT_EQ(*assembler.stopped_by(), "stop12345;");
}

}  // namespace
}  // namespace craton::engines::llama
