// Families in OpenAI's shape that no model id of the catalogue leads to; none is in all_families().
//
// The bodies of the endpoints, chat completions and responses, name the model themselves. Whoever
// serves one asks openai_model_of() which model is meant, parses with that model's context, and
// frames the streamed pieces as server-sent events. Imported models have ARNs of their own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "families/family.h"

namespace craton::families {

extern const Family openai_chat_endpoint;  ///< `/openai/v1/chat/completions`
extern const Family openai_responses;      ///< `/openai/v1/responses`
extern const Family openai_completion;     ///< InvokeModel of an imported model, with a prompt

/// The member `model` of a body of these endpoints.
/// Fails with `validation` when the body is no JSON object or names no model.
Result<std::string> openai_model_of(std::string_view body);

}  // namespace craton::families
