// What a reader sees of an HTML page, as lines. No I/O, no globals.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "documents/document_text.h"

namespace craton::documents {

/// Fails with `validation` past `limits`.
Result<std::string> html_text(std::string_view bytes, const DocumentLimits& limits);

}  // namespace craton::documents
