// Times as Bedrock's API writes them. No I/O.
#pragma once

#include <string_view>

namespace craton::api {

/// True for an RFC 3339 date-time that names a moment: "2026-11-23T02:26:21.123456Z", or with an
/// offset in place of the Z.
bool is_date_time(std::string_view text);

}  // namespace craton::api
