// A system-defined inference profile as ListInferenceProfiles and GetInferenceProfile print it.
//
// Any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>

#include "catalog/region.h"
#include "catalog/tables.h"

namespace craton::catalog {

/// Appends the InferenceProfileSummary of `profile` as seen from `place`. Members and words are
/// AWS's. Two things are not: AWS's times of creation are not known, so `createdAt` and `updatedAt`
/// are those of the data; and where destinations are not known, the caller's Region is named.
void append_profile(const tables::ProfileRow& profile, const Place& place, std::string_view account,
                    std::string& out);

/// Stands for `profile` in a page's nextToken: means nothing to callers, and is no other's.
std::string page_token(const tables::ProfileRow& profile);

}  // namespace craton::catalog
