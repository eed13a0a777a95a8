// Text in any of the encodings that documents are found in, as UTF-8. Over iconv.
//
// No globals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace craton::documents {

/// `bytes` in UTF-8: after their byte order mark, which is left out, when they have one; otherwise
/// from `charset`, a label as HTML uses it; from UTF-8, mended, when that is unknown or empty. What
/// is no character becomes U+FFFD.
std::string decoded(std::string_view bytes, std::string_view charset = {});

/// True when `bytes` begin with a byte order mark of UTF-8 or UTF-16.
bool has_byte_order_mark(std::string_view bytes);

}  // namespace craton::documents
