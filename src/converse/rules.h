// Bedrock's rules on conversations: what Converse and ConverseStream refuse before a model is
// asked, in AWS's words, which programs match on.
//
// The API model's own constraints (lengths, enums, unions) have been checked before; here is what
// they cannot say: what one member allows another, and what each model supports. Two layers speak
// on AWS, and so here: Converse's own sentences, and those of models, which it passes on behind
// "The model returned the following errors: ". docs/converse.md has the table, with what is not
// verified.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace craton::converse {

enum class Delivery { whole, streamed };

/// Holds `input`, the members of Converse's or ConverseStream's input or of CountTokens'
/// `converse`, against the rules for `model`. The first that is broken is told. Fails with
/// `validation`, or with `access_denied` when the model caches no prompts.
Result<void> check(const json::object& input, const catalog::Model& model, Delivery delivery);

/// A refusal of the model's, as Converse passes it on.
Error of_the_model(const Error& error);

}  // namespace craton::converse
