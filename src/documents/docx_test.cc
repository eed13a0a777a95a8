#include "documents/docx.h"

#include <gtest/gtest.h>

#include "documents/test_archive.h"

namespace craton::documents {
namespace {

std::string p(std::string_view runs, std::string_view properties = "") {
  return "<w:p><w:pPr>" + std::string(properties) + "</w:pPr>" + std::string(runs) + "</w:p>";
}

std::string r(std::string_view text) {
  return "<w:r><w:t xml:space=\"preserve\">" + std::string(text) + "</w:t></w:r>";
}

std::string text_of(std::string_view body) {
  const auto text = docx_text(docx_of(body), {});
  return text ? *text : "error: " + text.error().message;
}

TEST(Docx, ParagraphsAreLines) {
  EXPECT_EQ(text_of(p(r("a") + r(" ") + r("b")) + p(r("c")) + p("") + p("") + p(r("d &lt;"))),
            "a b\nc\n\nd <");
}

TEST(Docx, RunsKeepTabsBreaksAndLinks) {
  EXPECT_EQ(text_of(p("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>"
                      "<w:hyperlink r:id=\"x\">" +
                      r("link") +
                      "</w:hyperlink>"
                      "<w:r><w:noBreakHyphen/></w:r>")),
            "a\tb\nclink-");
}

TEST(Docx, ShowsWhatTrackedChangesLeave) {
  EXPECT_EQ(text_of(p("<w:ins>" + r("new") +
                      "</w:ins><w:del><w:r><w:delText>old</w:delText></w:r>"
                      "</w:del><w:moveFrom>" +
                      r("x") +
                      "</w:moveFrom>"
                      "<w:r><w:instrText>PAGE</w:instrText></w:r>")),
            "new");
}

TEST(Docx, TextBoxesAreReadOnce) {
  const std::string box = "<wps:txbx><w:txbxContent>" + p(r("box")) + "</w:txbxContent></wps:txbx>";
  EXPECT_EQ(text_of(p("<w:r><mc:AlternateContent><mc:Choice>" + box + "</mc:Choice><mc:Fallback>" +
                      box + "</mc:Fallback></mc:AlternateContent></w:r>")),
            "box");
}

TEST(Docx, TablesAreRowsOfCells) {
  const auto cell = [](const std::string& inside, std::string_view properties = "") {
    return "<w:tc><w:tcPr>" + std::string(properties) + "</w:tcPr>" + inside + "</w:tc>";
  };
  const auto row = [](const std::string& cells) { return "<w:tr>" + cells + "</w:tr>"; };
  EXPECT_EQ(text_of(p(r("before")) + "<w:tbl>" +
                    row(cell(p(r("a")) + p(r("b"))) + cell(p("")) + cell(p(r("c")))) +
                    row(cell(p(r("wide")), "<w:gridSpan w:val=\"2\"/>") + cell(p(r("d")))) +
                    "</w:tbl>" + p(r("after"))),
            "before\n\na b\t\tc\nwide\t\td\n\nafter");
}

const ArchiveFile styles{
    "word/styles.xml",
    "<w:styles><w:style w:styleId=\"H\"><w:name w:val=\"heading 1\"/></w:style>"
    "<w:style w:styleId=\"Mine\"><w:basedOn w:val=\"H\"/></w:style>"
    "<w:style w:styleId=\"A\"><w:basedOn w:val=\"B\"/></w:style>"
    "<w:style w:styleId=\"B\"><w:basedOn w:val=\"A\"/></w:style>"
    "<w:style w:styleId=\"L\"><w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr>"
    "</w:pPr></w:style></w:styles>"};
const ArchiveFile numbering{
    "word/numbering.xml",
    "<w:numbering><w:abstractNum w:abstractNumId=\"7\">"
    "<w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"decimal\"/></w:lvl>"
    "<w:lvl w:ilvl=\"1\"><w:start w:val=\"27\"/><w:numFmt w:val=\"lowerLetter\"/></w:lvl>"
    "<w:lvl w:ilvl=\"2\"><w:start w:val=\"1994\"/><w:numFmt w:val=\"upperRoman\"/></w:lvl>"
    "<w:lvl w:ilvl=\"3\"><w:numFmt w:val=\"bullet\"/></w:lvl></w:abstractNum>"
    "<w:num w:numId=\"1\"><w:abstractNumId w:val=\"7\"/></w:num></w:numbering>"};

std::string styled(std::string_view body) {
  const auto text =
      docx_text(docx_of(body, {styles, numbering},
                        {"Id=\"a\" " + type_and_target("styles", "styles.xml"),
                         "Id=\"b\" " + type_and_target("numbering", "numbering.xml")}),
                {});
  return text ? *text : "error: " + text.error().message;
}

std::string style(std::string_view id) { return "<w:pStyle w:val=\"" + std::string(id) + "\"/>"; }

std::string item(int level) {
  return "<w:numPr><w:ilvl w:val=\"" + std::to_string(level) +
         "\"/><w:numId w:val=\"1\"/></w:numPr>";
}

TEST(Docx, HeadingsStandApart) {
  EXPECT_EQ(styled(p(r("a")) + p(r("Head"), style("H")) + p(r("b")) + p(r("Mine"), style("Mine"))),
            "a\n\nHead\n\nb\n\nMine");
  EXPECT_EQ(styled(p(r("a"), style("A")) + p(r("b"), style("B"))), "a\nb") << "a ring of styles";
}

TEST(Docx, ItemsOfListsHaveTheirMarkers) {
  EXPECT_EQ(
      styled(p(r("a"), style("L")) + p(r("b"), item(1)) + p(r("c"), item(1)) + p(r("d"), item(2)) +
             p(r("e"), item(3)) + p(r("f"), item(0)) + p(r("g"), item(1)) +
             p(r("h"), style("L") + "<w:numPr><w:numId w:val=\"0\"/></w:numPr>")),
      "1. a\n  aa. b\n  bb. c\n    MCMXCIV. d\n      - e\n2. f\n  aa. g\nh");
}

TEST(Docx, NotesAreAtTheEnd) {
  const ArchiveFile notes{"word/footnotes.xml",
                          "<w:footnotes><w:footnote w:type=\"separator\" w:id=\"-1\">" +
                              p(r("--")) + "</w:footnote><w:footnote w:id=\"2\">" + p(r("x")) +
                              p(r("y")) + "</w:footnote></w:footnotes>"};
  const auto text =
      docx_text(docx_of(p(r("a") + "<w:r><w:footnoteReference w:id=\"2\"/></w:r>") + p(r("b")),
                        {notes}, {"Id=\"n\" " + type_and_target("footnotes", "footnotes.xml")}),
                {});
  EXPECT_EQ(text.value(), "a[2]\nb\n\n[2] x y");
}

TEST(Docx, PrefixesAreTheDocumentsOwn) {
  const auto text = docx_text(
      archive_of({{"_rels/.rels", relationships({type_and_target("officeDocument", "d.xml")})},
                  {"d.xml", "<document><body><p><r><t>plain</t></r></p></body></document>"}}),
      {});
  EXPECT_EQ(text.value(), "plain");
}

std::string refusal(const std::string& bytes, const DocumentLimits& limits = {}) {
  const auto text = docx_text(bytes, limits);
  return text ? "read: " + *text : text.error().message;
}

TEST(Docx, SaysWhatIsWrong) {
  const std::string whole = docx_of(p(r("text")));
  EXPECT_EQ(refusal(whole.substr(0, whole.size() / 2)),
            "The document cannot be read as docx: its ZIP archive is damaged (Not a zip archive).");
  EXPECT_EQ(refusal(archive_of({{"a.txt", "hello"}})),
            "The document is said to be docx, but its bytes are a ZIP archive that is no Office "
            "document. Check that the format and the document match and retry your request.");
  EXPECT_EQ(refusal(xlsx_of("")),
            "The document is said to be docx, but its bytes are an Excel workbook. Check that the "
            "format and the document match and retry your request.");
  EXPECT_EQ(
      refusal(docx_of("<w:p>")),
      "The document cannot be read as docx: its part \"word/document.xml\" is no XML (Start-end "
      "tags mismatch).");
  EXPECT_EQ(refusal(archive_of(
                {{"_rels/.rels", relationships({type_and_target("officeDocument", "gone.xml")})}})),
            "The document cannot be read as docx: its part \"gone.xml\" is missing.");
}

TEST(Docx, BombsAreStopped) {
  EXPECT_EQ(refusal(docx_of(std::string(70'000'000, ' '))),
            "The document cannot be read as docx: it unpacks to more than 67108864 bytes.");
  std::string deep;
  for (int i = 0; i < 300'000; ++i) deep += "<w:r>";
  std::string closed = deep;
  for (int i = 0; i < 300'000; ++i) closed += "</w:r>";
  EXPECT_EQ(refusal(docx_of(closed)),
            "The document cannot be read as docx: its elements are nested more than 200 deep.");
  std::string many;
  for (int i = 0; i < 1'100'000; ++i) many += "<a/><b c=\"\"/>";
  EXPECT_EQ(
      refusal(docx_of(many)),
      "The document cannot be read as docx: its part \"word/document.xml\" has more than 3000000 "
      "XML tags.");
  EXPECT_EQ(refusal(docx_of(p(r("abcdef"))), {.text_bytes_max = 5}),
            "The document cannot be read as docx: it has more than 5 bytes of text.");
  const std::string entities =
      "<!DOCTYPE w [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
      "\"&a;&a;&a;&a;&a;&a;&a;\">]><w:document><w:body>" +
      p(r("&b;")) + "</w:body></w:document>";
  EXPECT_EQ(refusal(archive_of(
                {{"_rels/.rels", relationships({type_and_target("officeDocument", "d.xml")})},
                 {"d.xml", entities}})),
            "read: &b;")
      << "no entities are expanded but XML's own";
}

}  // namespace
}  // namespace craton::documents
