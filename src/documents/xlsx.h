// The text of an Excel workbook. No I/O, no globals.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "documents/document_text.h"

namespace craton::documents {

/// For each sheet "Sheet: " and its name, then its rows: cells with tabs between, each in its
/// column. Numbers as they are stored, those that a date style shows as dates in ISO form, of
/// formulas the values that were last computed or else the formula.
/// Fails with `validation` when `bytes` are damaged or past `limits`.
Result<std::string> xlsx_text(std::string_view bytes, const DocumentLimits& limits);

}  // namespace craton::documents
