// The rules on `messages`: turns, what stands in each, calls of tools and their results.
//
// No I/O.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace craton::converse {

/// Holds the messages of `input` against the rules for `model`.
Result<void> check_messages(const json::object& input, const catalog::Model& model);

}  // namespace craton::converse
