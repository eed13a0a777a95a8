// What all native replies are written with.
//
// No I/O.
#pragma once

#include <string>
#include <string_view>

#include "families/family.h"

namespace craton::families {

/// Appends `text` as a JSON string, quotes included. A byte that is no UTF-8 becomes U+FFFD:
/// engines promise whole characters, and a reply must be JSON even if one breaks its promise.
void append_reply_text(std::string_view text, std::string& out);

/// The answer's text behind the request's lead; as it is when it begins with a blank anyway, or is
/// empty.
std::string led_text(const ReplyContext& context);

}  // namespace craton::families
