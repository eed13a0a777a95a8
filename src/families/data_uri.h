// Images as OpenAI's bodies carry them: `data:image/png;base64,iVBORw0KG…`.
//
// Source: RFC 2397. No I/O.
#pragma once

#include <string_view>

#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::families {

/// The image that `uri` holds: PNG, JPEG, GIF or WebP.
/// Fails with `validation`, naming the member `at`, when `uri` is none of them or points elsewhere:
/// nothing is fetched for a caller.
Result<ImageBlock> image_of_data_uri(std::string_view uri, std::string_view at);

}  // namespace craton::families
