// A regular expression, as JSON Schema's `pattern` has them, as a grammar of a JSON string.
//
// Taken: alternatives, groups that only group, classes, `.`, \d \w \s and their opposites, escapes,
// * + ? {n} {n,} {n,m} (lazy ones too: only what matches counts), ^ and $ at the ends of a branch.
// An unanchored end is open to anything. Everything else (look-around, back-references, \b,
// classes of single characters beyond ASCII in ranges) is refused.
// Source: https://json-schema.org/understanding-json-schema/reference/regular_expressions
#pragma once

#include <string_view>

#include "engines/llama/json_grammar.h"

namespace craton::engines::llama {

/// The rule of what may stand between the quotes. Fails with `validation`, saying what is not
/// supported.
Result<RuleId> add_pattern(JsonGrammar& json, std::string_view pattern);

}  // namespace craton::engines::llama
