// Permissions: what a caller may ask. Where the server does not look at who is asking, everything.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/catalog.h"
#include "service/invocation.h"
#include "service/operations.h"

namespace craton::service {

/// The permission that an operation needs, as IAM names it: "bedrock:InvokeModel" for Converse.
/// Source: the Service Authorization Reference; provider routes need what they stand for.
std::string action_of(std::string_view operation);

/// Fails with `not_authorized` when the caller may not do that with any model.
Result<void> check_permission(const Call& call);

/// The same with this model, which the caller named by its id or by a profile's.
Result<void> check_permission(const Call& call, const catalog::Invocable& asked);

}  // namespace craton::service
