// The rows of the table in family.cc: one family a file, and the file is named after it.
//
// A row gives the answer's limit of tokens its documented default. Temperature, top-p and top-k it
// leaves open where the body does: what the provider chose for its model is wrong for the one that
// answers here.
#pragma once

#include "families/family.h"

namespace craton::families {

extern const Family anthropic_text;
extern const Family anthropic_messages;
extern const Family llama;
extern const Family mistral_text;
extern const Family mistral_messages;
extern const Family titan_text;
extern const Family cohere_command;
extern const Family jurassic2;
extern const Family openai_chat;
extern const Family amazon_nova;
extern const Family cohere_command_r;
extern const Family jamba;
extern const Family deepseek_r1;

}  // namespace craton::families
