// The text of a PDF document, by poppler's pdftotext, which is run and not linked: its licence is
// the GPL, and a parser of PDF is better kept in a process of its own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "documents/document_text.h"

namespace craton::documents {

/// Pages in reading order, with a blank line between.
/// Fails with `validation` when pdftotext is not installed, when `bytes` are damaged or locked by a
/// password, have no text (scanned pages), or exceed `limits`; with `service_unavailable` when this
/// machine cannot run another program now.
Result<std::string> pdf_text(std::string_view bytes, const DocumentLimits& limits);

}  // namespace craton::documents
