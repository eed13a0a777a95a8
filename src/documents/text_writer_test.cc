#include "documents/text_writer.h"

#include <gtest/gtest.h>

namespace craton::documents {
namespace {

TEST(TextWriter, FlowingTextHasOneBlankBetweenWords) {
  TextWriter writer(100);
  writer.flowing("  a \n\t b");
  writer.flowing("c ");
  writer.flowing(" d");
  EXPECT_EQ(writer.take(), "a bc d");
}

TEST(TextWriter, BreaksNeitherBeginNorEndNorPileUp) {
  TextWriter writer(100);
  writer.blank_line();
  writer.flowing("a");
  writer.line();
  writer.blank_line();
  writer.blank_line();
  writer.flowing(" b ");
  writer.line();
  writer.flowing("c");
  writer.blank_line();
  EXPECT_EQ(writer.take(), "a\n\nb\nc");
}

TEST(TextWriter, ExactTextKeepsBlanksAndLines) {
  TextWriter writer(100);
  writer.exact("if x:\r\n    y\n\n  z\n");
  writer.line();
  writer.flowing("end");
  EXPECT_EQ(writer.take(), "if x:\n    y\n\n  z\nend");
}

TEST(TextWriter, CellsStandInTheirColumns) {
  TextWriter writer(100);
  writer.begin_row();
  writer.begin_cell();
  writer.begin_cell();
  writer.flowing("b");
  writer.line();
  writer.flowing("more");
  writer.begin_cell();
  writer.exact("c\nd");
  writer.begin_cell();
  writer.end_row();
  writer.begin_row();
  writer.begin_cell();
  writer.flowing("x");
  writer.end_row();
  writer.flowing("after");
  EXPECT_EQ(writer.take(), "\tb more\tc d\nx\nafter");
}

TEST(TextWriter, DropsWhatExceedsTheBoundAndTells) {
  TextWriter writer(5);
  writer.flowing("abcde");
  EXPECT_FALSE(writer.full());
  writer.flowing("f");
  EXPECT_TRUE(writer.full());
  EXPECT_EQ(writer.take(), "abcde");
}

TEST(TextWriter, TabsCountToo) {
  TextWriter writer(1000);
  writer.begin_row();
  for (int i = 0; i < 2000; ++i) writer.begin_cell();
  EXPECT_FALSE(writer.full()) << "nothing was written yet";
  writer.flowing("x");
  EXPECT_TRUE(writer.full());
}

}  // namespace
}  // namespace craton::documents
