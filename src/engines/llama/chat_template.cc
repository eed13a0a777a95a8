#include "engines/llama/chat_template.h"

#include <jinja/caps.h>
#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace craton::engines::llama {

const std::string_view chatml_template =
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}";

struct ChatTemplate::Compiled {
  jinja::program program;
  jinja::caps caps;
  TemplateSource source;
};

namespace {

/// One message of a template's `messages`.
struct Message {
  const char* role;
  std::string content;
};

/// The last line of what llama.cpp's Jinja throws: the rest shows the template around the place.
std::string reason_of(const std::exception& exception) {
  std::string text = exception.what();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (const auto line = text.rfind('\n'); line != text.npos) text.erase(0, line + 1);
  for (const std::string_view label : {"Error: ", "Jinja Exception: "}) {
    if (text.starts_with(label)) text.erase(0, label.size());
  }
  return text;
}

jinja::value template_text(const std::string& text) {
  return jinja::mk_val<jinja::value_string>(text);
}

jinja::value caller_text(const std::string& text) {
  auto value = jinja::mk_val<jinja::value_string>(mended_utf8(text));
  value->mark_input();
  return value;
}

/// `content` in the form that this template reads: text, or a list of typed parts.
jinja::value content_value(const std::string& content, const jinja::caps& caps) {
  if (caps.supports_string_content || !caps.supports_typed_content) return caller_text(content);
  auto part = jinja::mk_val<jinja::value_object>();
  part->insert("type", template_text("text"));
  part->insert("text", caller_text(content));
  auto parts = jinja::mk_val<jinja::value_array>();
  parts->push_back(part);
  return parts;
}

jinja::value messages_value(std::span<const Message> messages, const jinja::caps& caps) {
  auto list = jinja::mk_val<jinja::value_array>();
  for (const Message& message : messages) {
    auto object = jinja::mk_val<jinja::value_object>();
    object->insert("role", template_text(message.role));
    object->insert("content", content_value(message.content, caps));
    list->push_back(object);
  }
  return list;
}

std::string joined(const std::vector<TextBlock>& blocks) {
  std::string all;
  for (const TextBlock& block : blocks) {
    if (!all.empty()) all += "\n\n";
    all += block.text;
  }
  return all;
}

std::vector<Message> messages_of(const Conversation& conversation, bool knows_system) {
  std::vector<Message> messages;
  std::string system = joined(conversation.system);
  if (knows_system && !system.empty()) messages.push_back({"system", std::exchange(system, {})});
  for (const Turn& turn : conversation.turns) {
    std::string text = text_of(turn);
    if (turn.role == Role::user && !system.empty()) {
      text = std::exchange(system, {}) + "\n\n" + text;
    }
    messages.push_back({turn.role == Role::user ? "user" : "assistant", std::move(text)});
  }
  return messages;
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::compile(const TemplateSource& source) {
  try {
    auto compiled = std::make_unique<Compiled>();
    const jinja::lexer_result lexed = jinja::lexer().tokenize(source.text);
    compiled->program = jinja::parse_from_tokens(lexed);
    compiled->caps = jinja::caps_get(compiled->program);
    compiled->source = {lexed.source, source.bos, source.eos};
    return ChatTemplate(std::move(compiled));
  } catch (const std::exception& exception) {
    return Error{ErrorCode::model_error,
                 "The model's chat template cannot be read: " + reason_of(exception)};
  }
}

Result<PromptText> ChatTemplate::render(const Conversation& conversation) const {
  std::vector<Message> messages = messages_of(conversation, compiled_->caps.supports_system_role);
  std::optional<std::string> prefill;
  if (!conversation.turns.empty() && conversation.turns.back().role == Role::assistant) {
    prefill = std::move(messages.back().content);
    messages.pop_back();
  }
  try {
    jinja::context context(compiled_->source.text);
    context.set_val("messages", messages_value(messages, compiled_->caps));
    context.set_val("bos_token", template_text(compiled_->source.bos));
    context.set_val("eos_token", template_text(compiled_->source.eos));
    context.set_val("add_generation_prompt", jinja::mk_val<jinja::value_bool>(true));
    // Reasoning has no place in a Conversation yet: models that can answer without it shall.
    context.set_val("enable_thinking", jinja::mk_val<jinja::value_bool>(false));
    jinja::runtime runtime(context);
    const auto rendered = jinja::runtime::gather_string_parts(runtime.execute(compiled_->program));
    PromptText prompt;
    for (auto& part : rendered->val_str.parts) {
      prompt.push_back({std::move(part.val), part.is_input});
    }
    if (prefill) prompt.push_back({mended_utf8(*prefill), true});
    return prompt;
  } catch (const std::exception& exception) {
    return Error{ErrorCode::validation,
                 "The model's chat template refuses the conversation: " + reason_of(exception)};
  }
}

}  // namespace craton::engines::llama
