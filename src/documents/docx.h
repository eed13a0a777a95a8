// The text of a Word document. No I/O, no globals.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "documents/document_text.h"

namespace craton::documents {

/// Paragraphs as lines, headings set off by blank ones; items of lists behind their marker; rows of
/// tables as cells with tabs between; text boxes; footnotes and endnotes at the end. Text that
/// tracked changes delete, page headers and comments are left out.
/// Fails with `validation` when `bytes` are damaged or past `limits`.
Result<std::string> docx_text(std::string_view bytes, const DocumentLimits& limits);

}  // namespace craton::documents
