// From what a Conversation asks for to how its answer is put together: which tools may be called
// with which inputs, which form the answer must have, what becomes of thoughts.
//
// No I/O, no globals.
#pragma once

#include "base/result.h"
#include "conversation/conversation.h"
#include "engines/llama/answer_assembler.h"
#include "engines/llama/chat_template.h"

namespace craton::engines::llama {

/// `prompt` is what `form` made of the conversation.
/// A tool that must be called has to have a schema that a grammar can keep, and so has a response
/// format: fails with `validation` otherwise, naming what cannot be kept. Where the model may call
/// a tool or not, a schema that cannot be kept lets any object through.
Result<AnswerPlan> plan_answer(const Conversation& conversation, const ChatTemplate& form,
                               const RenderedPrompt& prompt);

}  // namespace craton::engines::llama
