#include "documents/xlsx.h"

#include <gtest/gtest.h>

#include "documents/test_archive.h"
#include "documents/xlsx_dates.h"

namespace craton::documents {
namespace {

std::string text_of(const std::string& bytes, const DocumentLimits& limits = {}) {
  const auto text = xlsx_text(bytes, limits);
  return text ? *text : text.error().message;
}

TEST(Xlsx, CellsAreOfTheirTypes) {
  const std::vector<ArchiveFile> parts{
      {"xl/sharedStrings.xml",
       "<sst><si><t>zero</t></si><si><r><t>ri</t></r><r><t xml:space=\"preserve\"> ch</t></r>"
       "<rPh><t>reading</t></rPh></si></sst>"}};
  EXPECT_EQ(text_of(xlsx_of(
                "<row><c t=\"s\"><v>1</v></c><c t=\"s\"><v>9</v></c><c><v>0.1</v></c>"
                "<c t=\"n\"><v>1E+30</v></c><c t=\"b\"><v>1</v></c><c t=\"b\"><v>0</v></c>"
                "<c t=\"e\"><v>#REF!</v></c><c t=\"str\"><f>A1</f><v>formula</v></c>"
                "<c t=\"inlineStr\"><is><t>in\nline</t></is></c><c><f>SUM(A1)</f><v></v></c>"
                "<c><f>SUM(A1)</f><v>3</v></c><c t=\"d\"><v>2024-03-01</v></c></row>",
                parts, {"Id=\"x\" " + type_and_target("sharedStrings", "sharedStrings.xml")})),
            "Sheet: One\nri ch\t\t0.1\t1E+30\tTRUE\tFALSE\t#REF!\tformula\tin "
            "line\t=SUM(A1)\t3\t2024-03-01");
}

TEST(Xlsx, CellsStandInTheirColumns) {
  EXPECT_EQ(text_of(xlsx_of(
                "<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"D1\"><v>2</v></c><c><v>3</v></c>"
                "<c r=\"A1\"><v>4</v></c><c r=\"G1\"/></row><row/><row><c><v>5</v></c></row>")),
            "Sheet: One\n\t1\t\t2\t3\t4\n5");
}

TEST(Xlsx, DatesAreWhereTheStyleSaysSo) {
  const std::vector<ArchiveFile> parts{{"xl/styles.xml",
                                        "<styleSheet><numFmts><numFmt numFmtId=\"164\" "
                                        "formatCode=\"yyyy\\-mm\\-dd hh:mm\"/></numFmts>"
                                        "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf "
                                        "numFmtId=\"164\"/></cellXfs></styleSheet>"}};
  const std::string row =
      "<row><c s=\"0\"><v>45352</v></c><c s=\"1\"><v>45352</v></c>"
      "<c s=\"2\"><v>45352.5729166667</v></c><c s=\"1\"><v>-1</v></c><c s=\"9\"><v>1</v></c></row>";
  const std::vector<std::string> links{"Id=\"x\" " + type_and_target("styles", "styles.xml")};
  EXPECT_EQ(text_of(xlsx_of(row, parts, links)),
            "Sheet: One\n45352\t2024-03-01\t2024-03-01 13:45:00\t-1\t1");
  EXPECT_EQ(text_of(xlsx_of(row, parts, links, "<workbookPr date1904=\"1\"/>")),
            "Sheet: One\n45352\t2028-03-02\t2028-03-02 13:45:00\t-1\t1");
}

TEST(XlsxDates, FormatCodesAreUnderstood) {
  const std::pair<const char*, DateParts> rows[] = {{"General", DateParts::none},
                                                    {"0.00", DateParts::none},
                                                    {"#,##0 \"days\"", DateParts::none},
                                                    {"[Red]0", DateParts::none},
                                                    {"yyyy-mm-dd", DateParts::date},
                                                    {"mmm", DateParts::date},
                                                    {"mm:ss.0", DateParts::time},
                                                    {"h:mm AM/PM", DateParts::time},
                                                    {"[$-409]d/m/yy h:mm;@", DateParts::both},
                                                    {"[h]:mm:ss", DateParts::none},
                                                    {"0.0\\d", DateParts::none},
                                                    {"[", DateParts::none},
                                                    {"\"", DateParts::none},
                                                    {"\\", DateParts::none}};
  for (const auto& [code, parts] : rows) EXPECT_EQ(date_parts_of(code), parts) << code;
}

TEST(XlsxDates, TheYear1900HasALeapDayThatNeverWas) {
  EXPECT_EQ(date_text(1, DateParts::date, false), "1900-01-01");
  EXPECT_EQ(date_text(59, DateParts::date, false), "1900-02-28");
  EXPECT_EQ(date_text(61, DateParts::date, false), "1900-03-01");
  EXPECT_EQ(date_text(0.999999, DateParts::time, false), "00:00:00") << "rounded to seconds";
  EXPECT_EQ(date_text(0.5, DateParts::time, false), "12:00:00");
  EXPECT_EQ(date_text(2958465, DateParts::date, false), "9999-12-31");
  EXPECT_EQ(date_text(2958466, DateParts::date, false), std::nullopt);
  EXPECT_EQ(date_text(1e300, DateParts::date, false), std::nullopt);
}

TEST(Xlsx, SheetsThatCannotBeReadAreRefusedAndChartsPassedOver) {
  EXPECT_EQ(
      text_of(docx_of("")),
      "The document is said to be xlsx, but its bytes are a Word document. Check that the format "
      "and the document match and retry your request.");
  EXPECT_EQ(
      text_of(archive_of(
          {{"_rels/.rels", relationships({type_and_target("officeDocument", "xl/workbook.xml")})},
           {"xl/workbook.xml",
            "<workbook><sheets><sheet name=\"C\" r:id=\"c\"/>"
            "<sheet name=\"Gone\" r:id=\"g\"/></sheets></workbook>"},
           {"xl/_rels/workbook.xml.rels",
            relationships({"Id=\"c\" " + type_and_target("chartsheet", "c.xml"),
                           "Id=\"g\" " + type_and_target("worksheet", "../g.xml")})}})),
      "The document cannot be read as xlsx: its part \"g.xml\" is missing.");
}

TEST(Xlsx, BombsAreStopped) {
  std::string rows;
  for (int i = 0; i < 2000; ++i) rows += "<row><c r=\"XFD1\"><v>1</v></c></row>";
  EXPECT_EQ(text_of(xlsx_of(rows)),
            "The document cannot be read as xlsx: it has more than 8388608 bytes of text.");
  EXPECT_EQ(text_of(xlsx_of("<row><c r=\"ZZZZZZZZZZZZZ1\"><v>1</v></c></row>")), "Sheet: One\n1");
  rows.clear();
  for (int i = 0; i < 20'000; ++i) rows += "<row><c t=\"s\"><v>0</v></c></row>";
  EXPECT_EQ(
      text_of(xlsx_of(
          rows, {{"xl/s.xml", "<sst><si><t>" + std::string(1'000'000, 'x') + "</t></si></sst>"}},
          {"Id=\"x\" " + type_and_target("sharedStrings", "s.xml")})),
      "The document cannot be read as xlsx: it has more than 8388608 bytes of text.");
  std::string sheets;
  for (int i = 0; i < 10'000; ++i) sheets += "<sheet name=\"n\" r:id=\"s\"/>";
  EXPECT_EQ(text_of(archive_of(
                {{"_rels/.rels", relationships({type_and_target("officeDocument", "w.xml")})},
                 {"_rels/w.xml.rels",
                  relationships({"Id=\"s\" " + type_and_target("worksheet", "s.xml")})},
                 {"w.xml", "<workbook><sheets>" + sheets + "</sheets></workbook>"},
                 {"s.xml", "<worksheet/>"}})),
            "The document cannot be read as xlsx: it has too many parts.");
}

}  // namespace
}  // namespace craton::documents
