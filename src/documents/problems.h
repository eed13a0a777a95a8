// The sentences that tell a caller what is wrong with a document.
//
// Each begins "The document" and can be read without knowing which function wrote it; the place in
// the request is put in front by who knows it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "documents/document_text.h"

namespace craton::documents {

/// "The document cannot be read as {format}: {reason}."
Error unreadable(std::string_view format, std::string_view reason);

/// "The document is said to be {format}, but its bytes are {found}. …"
Error mismatch(std::string_view format, std::string_view found);

Error too_much_text(std::string_view format, const DocumentLimits& limits);
Error too_deep(std::string_view format, const DocumentLimits& limits);

}  // namespace craton::documents
