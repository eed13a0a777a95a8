// Base64 as JSON bodies carry blobs: the standard alphabet, padded to a multiple of four.
// Source: RFC 4648, section 4.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace craton {

/// True for text that is base64.
bool is_base64(std::string_view text);

/// Bytes that `text`, base64, stands for.
std::size_t base64_decoded_size(std::string_view text);

/// Appends `bytes` as base64 to `out`.
void append_base64(std::string_view bytes, std::string& out);

/// The bytes that `text` stands for; nullopt when it is no base64.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace craton
