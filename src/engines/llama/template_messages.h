// A Conversation as the `messages` and `tools` that chat templates read: OpenAI's objects.
//
// Templates write tools down by `tojson`, which forgets who wrote what (PromptText). So every
// caller's string in there that might hold a control token is put between two marks, characters of
// a private use area, and split_at_marks() finds it again in what the template wrote. An image is
// text like any other to a template: a mark with the image's number, which place_images() finds
// again. What callers write holds no such mark: it is mended, and the mark replaced, before it
// gets in.
//
// No I/O, no globals.
#pragma once

#include <jinja/caps.h>
#include <jinja/value.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conversation/conversation.h"
#include "engines/llama/prompt_text.h"

namespace craton::engines::llama {

jinja::value template_text(const std::string& text);

struct TemplateToolCall {
  std::string id;  ///< Nine letters and digits, which every template takes.
  std::string name;
  std::string input;  ///< JSON
};

/// One message of a template's `messages`.
struct TemplateMessage {
  std::string role;                          ///< "system", "user", "assistant" or "tool"
  std::string content = {};                  ///< Valid UTF-8; images are marks.
  std::vector<TemplateToolCall> calls = {};  ///< Of the assistant's.
  std::string call_id = {};                  ///< Of a tool's: which call it answers,
  std::string tool = {};                     ///< and of which tool that was.
};

/// What a template can write down.
struct MessageForms {
  bool system = true;  ///< Otherwise the system's text begins the first user turn.
  bool tools = true;   ///< Tools, calls and results. Otherwise they are text like any other.
};

/// All of `conversation`, instructions about tools and the answer's format included where the
/// template gives none.
std::vector<TemplateMessage> messages_of(const Conversation& conversation,
                                         const MessageForms& forms);

jinja::value messages_value(const std::vector<TemplateMessage>& messages, const jinja::caps& caps);

/// Offered tools in OpenAI's form.
jinja::value tools_value(const std::vector<Tool>& tools);

/// Appends `text`, which a template wrote, to `prompt`: what is between marks is the caller's.
void split_at_marks(const std::string& text, PromptText& prompt);

/// `prompt` with images in place of their marks.
PromptText place_images(PromptText prompt);

/// `text` as UTF-8 without the mark of an image.
std::string without_image_marks(std::string_view text);

/// Tools that the model is told of.
const std::vector<Tool>& told_of(const Conversation& conversation);

}  // namespace craton::engines::llama
