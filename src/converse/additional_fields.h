// What a Converse call carries of a provider's own schema, both ways: additionalModelRequestFields
// and additionalModelResponseFieldPaths.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "conversation/event.h"
#include "converse/request.h"
#include "families/family.h"

namespace craton::converse {

/// The provider behind a model id.
struct Provider {
  const families::Family* family;  ///< Null: none speaks for the id yet.
  families::ModelContext model;
  std::string request_id;
};

/// Applies the request's additional fields to its conversation. Fails with `validation`, behind
/// "The model returned the following errors: ", when the provider does not take one of them.
Result<void> apply_additional_fields(const Provider& provider, Request& request);

/// Fails with `validation` for a path that is no JSON pointer (RFC 6901).
Result<void> check_paths(const std::vector<std::string>& paths);

/// What `request.response_paths` point at in the provider's own reply, nested as the pointers are:
/// `/stop_sequence` gives {"stop_sequence":…}. What is not there is left out. Pointers that begin
/// with `/delta`, which name members of a streamed reply's end, are taken of the whole reply.
json::object additional_response_fields(const Provider& provider, const Request& request,
                                        const Answer& answer);

}  // namespace craton::converse
