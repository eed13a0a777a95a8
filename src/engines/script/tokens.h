// Tokens of declared answers, which no tokenizer makes: a rule of thumb that anybody can follow.
//
// A token is a run of at most 8 ASCII letters and digits, or one other character that is no blank;
// blanks before it belong to it, and blanks at the end of a text are one. "Hello, world!" has 4,
// "안녕하세요" 5. Streams bring a token at a time.
//
// No I/O, no globals.
#pragma once

#include <string_view>

#include "conversation/conversation.h"

namespace craton::engines::script {

/// The first token of `text`, which is not empty; whole UTF-8 characters.
std::string_view first_token(std::string_view text);

int count_tokens(std::string_view text);

/// Of all text, tools, calls and results; 1000 for an image.
int count_tokens(const Conversation& conversation);

}  // namespace craton::engines::script
