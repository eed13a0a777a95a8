// What an image's file is, where nobody says.
//
// No I/O.
#pragma once

#include <string_view>

namespace craton::families {

/// "png", "jpeg", "gif" or "webp" by the file's first bytes; empty for any other.
std::string_view image_format(std::string_view bytes);

}  // namespace craton::families
