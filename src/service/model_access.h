// Model access: which models callers may use, as Bedrock grants it.
//
//   granted      everything may be called at once
//   on_request   Amazon's models at once; those of others once there is an agreement, made with the
//                token of an offer; Anthropic's offers ask for a form about the use case first
//
// Agreements are of a Region and a base model, whichever profile leads to it; the form is the
// account's. Both are kept in the store.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"

namespace craton::service {

struct Call;

enum class ModelAccess { granted, on_request };

/// Fails with `access_denied` when `model` needs an agreement, and the caller's Region has none.
Result<void> check_access(const Call& call, const catalog::Model& model);

}  // namespace craton::service
