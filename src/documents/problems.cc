#include "documents/problems.h"

#include <fmt/core.h>

namespace craton::documents {

Error unreadable(std::string_view format, std::string_view reason) {
  return {ErrorCode::validation,
          fmt::format("The document cannot be read as {}: {}.", format, reason)};
}

Error mismatch(std::string_view format, std::string_view found) {
  return {ErrorCode::validation,
          fmt::format("The document is said to be {}, but its bytes are {}. Check that the format "
                      "and the document match and retry your request.",
                      format, found)};
}

Error too_much_text(std::string_view format, const DocumentLimits& limits) {
  return unreadable(format,
                    fmt::format("it has more than {} bytes of text", limits.text_bytes_max));
}

Error too_deep(std::string_view format, const DocumentLimits& limits) {
  return unreadable(format,
                    fmt::format("its elements are nested more than {} deep", limits.depth_max));
}

}  // namespace craton::documents
