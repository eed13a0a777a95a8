// Base64 as JSON bodies carry blobs: its size and whether it is any. No I/O.
#pragma once

#include <cstddef>
#include <string_view>

namespace craton::api {

/// True for text of the standard alphabet, padded to a multiple of four (RFC 4648, section 4).
bool is_base64(std::string_view text);

/// Bytes that `text`, base64, stands for.
std::size_t base64_decoded_size(std::string_view text);

}  // namespace craton::api
