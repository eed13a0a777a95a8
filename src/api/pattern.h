// The service models' regular expressions, held against text as AWS does: the whole text must
// match.
//
// Over RE2: its time is linear in the text, whatever the expression. Expressions are compiled when
// first used. Any function may be called from any thread.
#pragma once

#include <string_view>

namespace craton::api {

/// True when all of `text`, UTF-8, matches the expression of that index in patterns().
bool matches_pattern(int pattern, std::string_view text);

}  // namespace craton::api
