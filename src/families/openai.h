// The families of the OpenAI endpoints: chat completions and responses.
//
// Their bodies name the model themselves, so no model id leads to these families and none of them
// is in all_families(). Whoever serves such an endpoint asks model_of() which model is meant,
// parses with that model's context, and frames the streamed pieces as server-sent events.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "families/family.h"

namespace craton::families {

extern const Family openai_chat_endpoint;  ///< `/openai/v1/chat/completions`
extern const Family openai_responses;      ///< `/openai/v1/responses`

/// The member `model` of a body of these endpoints.
/// Fails with `validation` when the body is no JSON object or names no model.
Result<std::string> openai_model_of(std::string_view body);

}  // namespace craton::families
