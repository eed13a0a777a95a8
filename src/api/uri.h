// Request targets: path segments and query parameters, percent-decoded.
//
// Decoded text is valid UTF-8 whatever the bytes: what is none becomes U+FFFD, because values are
// repeated in JSON answers. No I/O, no globals.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace craton::api {

/// `text` with each `%XX` replaced, once; a `%` that begins no such escape stays.
std::string percent_decoded(std::string_view text);

/// The target's path, without scheme and authority where the target has them.
std::string_view path_of(std::string_view target);

/// The query string's parameters, decoded, `+` read as a space, in their order.
std::vector<std::pair<std::string, std::string>> query_of(std::string_view target);

}  // namespace craton::api
