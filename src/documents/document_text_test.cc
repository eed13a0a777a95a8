#include "documents/document_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "documents/charset.h"

namespace craton::documents {
namespace {

using namespace std::string_literals;

std::string text_of(std::string_view format, std::string_view bytes,
                    const DocumentLimits& limits = {}) {
  const auto text = document_text(format, bytes, limits);
  if (text) return *text;
  EXPECT_EQ(text.error().code, ErrorCode::validation);
  return text.error().message;
}

TEST(DocumentText, TextStandsForItself) {
  for (const char* format : {"txt", "md", "csv", "json"}) {
    EXPECT_EQ(text_of(format, "a,b\r\n1,2\n"), "a,b\r\n1,2\n");
    EXPECT_EQ(text_of(format, ""), "");
  }
  EXPECT_EQ(text_of("txt", "\xEF\xBB\xBF서울"), "서울");
  EXPECT_EQ(text_of("txt", "a\xFFz"), "a\uFFFDz");
}

TEST(DocumentText, Utf16IsKnownByItsMark) {
  EXPECT_EQ(text_of("txt",
                    "\xFF\xFE"
                    "a\0\x1C\xC1"s),
            "a서");
  EXPECT_EQ(text_of("csv", "\xFE\xFF\0a\xC1\x1C"s), "a서");
  EXPECT_EQ(text_of("txt", "\xFF\xFE\x3D\xD8\x00\xDE"s), "\xF0\x9F\x98\x80");
  EXPECT_EQ(text_of("txt",
                    "\xFF\xFE\x3D\xD8"
                    "a\0"s),
            "\uFFFDa")
      << "half a pair";
  EXPECT_EQ(text_of("txt",
                    "\xFF\xFE"
                    "a\0b"s),
            "a\uFFFD")
      << "half a unit";
  EXPECT_EQ(text_of("txt",
                    "\xFF\xFE"
                    "a\0\0\0b\0"s),
            "ab")
      << "no zeros";
  EXPECT_EQ(text_of("txt", "\xFF\xFE"), "");
}

TEST(Charset, LabelsAreThoseOfBrowsers) {
  EXPECT_EQ(decoded("\xBC\xAD\xBF\xEF", "euc-kr"), "서울");
  EXPECT_EQ(decoded("\x93\xFA\x96\x7B", "Shift_JIS"), "日本");
  EXPECT_EQ(decoded("\x80", "ISO-8859-1"), "€");
  EXPECT_EQ(decoded("a\x81", "euc-kr"), "a\uFFFD") << "cut";
  EXPECT_EQ(decoded("\xC3\xA9", "iso-2022-cn-ext"), "é") << "unknown: UTF-8";
}

TEST(DocumentText, WhatIsNotOfTheFormatIsNamed) {
  const auto message = [](std::string_view format, std::string_view found) {
    return "The document is said to be " + std::string(format) + ", but its bytes are " +
           std::string(found) +
           ". Check that the format and the document match and retry your request.";
  };
  EXPECT_EQ(text_of("docx", "%PDF-1.4"), message("docx", "a PDF document"));
  EXPECT_EQ(text_of("txt", "%PDF-1.4"), message("txt", "a PDF document"));
  EXPECT_EQ(text_of("pdf", "PK\3\4"), message("pdf", "a ZIP archive"));
  EXPECT_EQ(text_of("pdf", "hello"), message("pdf", "something else, perhaps text"));
  EXPECT_EQ(text_of("xlsx", "a;b"), message("xlsx", "something else, perhaps text"));
  EXPECT_EQ(text_of("docx", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
            message("docx", "a Microsoft Office 97-2003 or a password-protected document"));
  EXPECT_EQ(text_of("html", "\x89PNG\r\n\x1A\n"), message("html", "a PNG image"));
  EXPECT_EQ(text_of("csv", "a\0b"s), message("csv", "binary data, not text"));
  EXPECT_EQ(text_of("doc", "PK\3\4"), message("doc", "a ZIP archive"));
}

TEST(DocumentText, OfficesBinaryFormatsAreRefused) {
  EXPECT_EQ(
      text_of("doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1..."),
      "The document cannot be read as doc: Office's binary formats are not supported. Save it as "
      "docx, or as pdf, and send that.");
  EXPECT_EQ(
      text_of("xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1..."),
      "The document cannot be read as xls: Office's binary formats are not supported. Save it as "
      "xlsx, or as pdf, and send that.");
}

TEST(DocumentText, FormatsAreThoseOfBedrock) {
  for (const char* format :
       {"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md", "json"})
    EXPECT_TRUE(is_document_format(format)) << format;
  for (const char* format : {"", "PDF", "text", "pptx"}) {
    EXPECT_FALSE(is_document_format(format)) << format;
    EXPECT_EQ(
        text_of(format, "x"),
        "The document's format is none of csv, doc, docx, html, json, md, pdf, txt, xls, xlsx.");
  }
}

TEST(DocumentText, IsBounded) {
  EXPECT_EQ(text_of("txt", "abcdef", {.text_bytes_max = 5}),
            "The document cannot be read as txt: it has more than 5 bytes of text.");
}

// A page of PDF; readers mend the missing table of its objects.
std::string pdf_page(std::string_view content) {
  return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
         "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
         "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R"
         "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
         "4 0 obj<</Length " +
         std::to_string(content.size()) + ">>stream\n" + std::string(content) +
         "\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
}

TEST(Pdf, IsReadByPdftotext) {
  ASSERT_FALSE(pdf_reader_path().empty()) << "these tests need poppler-utils: scripts/setup --test";
  const std::string page = pdf_page("BT /F 12 Tf 20 200 Td (Hello, page) Tj ET");
  EXPECT_EQ(text_of("pdf", page), "Hello, page");
  EXPECT_EQ(text_of("pdf", "some mail header\n" + page), "Hello, page");
}

TEST(Pdf, SaysWhatIsWrong) {
  EXPECT_EQ(
      text_of("pdf", pdf_page("0 0 100 100 re f")),
      "The document cannot be read as pdf: it has no text; pages that are only images are not "
      "supported.");
  EXPECT_EQ(text_of("pdf", "%PDF-1.4 and nothing more"),
            "The document cannot be read as pdf: it is damaged.");
  EXPECT_EQ(
      text_of("pdf", pdf_page("BT /F 12 Tf 20 200 Td (Hello, page) Tj ET"), {.text_bytes_max = 5}),
      "The document cannot be read as pdf: it has more than 5 bytes of text.");
  EXPECT_EQ(
      text_of("pdf", pdf_page(""), {.pdf_program = "craton-no-pdftotext"}),
      "The document cannot be read as pdf: this server has no pdftotext. Install it where Craton "
      "runs (the package is called poppler-utils), or send the document as txt, html or docx.");
  EXPECT_EQ(text_of("pdf", pdf_page(""),
                    {.pdf_time_max = std::chrono::milliseconds(100), .pdf_program = "yes"})
                .substr(0, 36),
            "The document cannot be read as pdf: ");
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Documents that other programs wrote; tests/golden/README.md says which.
TEST(DocumentText, DocumentsOfOtherProgramsAreReadAsRecorded) {
  const std::filesystem::path golden =
      std::filesystem::path(CRATON_SOURCE_DIR) / "tests/golden/documents";
  int cases = 0;
  for (const auto& folder : std::filesystem::directory_iterator(golden)) {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (file.path().stem() != "document") continue;
      const std::string format = file.path().extension().string().substr(1);
      const std::string text = text_of(format, contents(file.path())) + "\n";
      const std::filesystem::path recorded = folder.path() / "text.txt";
      if (std::getenv("CRATON_REWRITE_GOLDEN")) std::ofstream(recorded, std::ios::binary) << text;
      EXPECT_EQ(text, contents(recorded)) << file.path();
      ++cases;
    }
  }
  EXPECT_GE(cases, 4);
}

}  // namespace
}  // namespace craton::documents
