// The text of a document, for a prompt: what a model that reads only text can be told of it.
//
//   txt md csv json   as they are, in UTF-8
//   html              what a reader sees: blocks as lines, rows of tables as cells with tabs
//   between docx              paragraphs, headings, list items as lines, tables as above, notes at
//   the end xlsx              each sheet's name, then its rows as cells with tabs between pdf what
//   poppler's pdftotext makes of it; refused where that is not installed doc xls           refused:
//   Office's binary formats of 1997 to 2003
//
// No globals; any function may be called from any thread. Reading takes up to a second, for pdf up
// to `pdf_time_max`: not for a thread that others wait for.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace craton::documents {

/// What a document may cost. A document is bytes that anybody sent: each bound stops some bomb.
struct DocumentLimits {
  std::size_t text_bytes_max = 8u << 20;       ///< Of text: more than any model can read.
  std::size_t unpacked_bytes_max = 64u << 20;  ///< Of docx and xlsx: of all parts that are read.
  std::size_t xml_items_max = 3'000'000;       ///< Tags and attributes of a part: 200 MB of memory.
  int depth_max = 200;                         ///< Of elements in elements.
  std::chrono::milliseconds pdf_time_max{10'000};
  std::size_t pdf_memory_max = 1u << 30;       ///< Address space of pdftotext.
  std::string_view pdf_program = pdf_to_text;  ///< Looked for along PATH when it has no slash.

  static constexpr std::string_view pdf_to_text = "pdftotext";
};

/// `format`: a value of Bedrock's DocumentFormat (pdf, csv, doc, docx, xls, xlsx, html, txt, md),
/// or json. The text is UTF-8 without NUL, and may be empty. Fails with `validation` when `bytes`
/// are not of `format`, are damaged, or exceed a limit; the message is a sentence about "the
/// document" for the caller.
Result<std::string> document_text(std::string_view format, std::string_view bytes,
                                  const DocumentLimits& limits = {});

/// True for the formats that document_text() knows, those that it always refuses included.
bool is_document_format(std::string_view format);

/// Where pdftotext is found along PATH; empty when it is not installed.
std::string pdf_reader_path();

}  // namespace craton::documents
