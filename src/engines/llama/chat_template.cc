#include "engines/llama/chat_template.h"

#include <jinja/caps.h>
#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "engines/llama/template_messages.h"

namespace craton::engines::llama {

const std::string_view chatml_template =
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}";

struct ChatTemplate::Compiled {
  Compiled(const TemplateSource& from)
      : lexed(jinja::lexer().tokenize(from.text)),
        program(jinja::parse_from_tokens(lexed)),
        caps(jinja::caps_get(program)),
        source{lexed.source, from.bos, from.eos},
        thinks(source.text.find(thought_close) != std::string::npos ||
               source.text.find(thought_open) != std::string::npos) {}

  struct Asked {
    jinja::value messages;
    jinja::value tools = nullptr;
    bool answer_begins = true;
    bool think = false;
  };
  PromptText written(const Asked& asked) const;
  std::string probed(const std::vector<TemplateMessage>& messages, Asked asked) const;
  void find_call_form();

  jinja::lexer_result lexed;
  jinja::program program;
  jinja::caps caps;
  TemplateSource source;
  bool thinks;
  CallForm form = {};
};

namespace {

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

std::string_view without_blanks_at_end(std::string_view text) {
  const auto last = text.find_last_not_of(" \n\r\t");
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

std::string whole_text(const PromptText& prompt) {
  std::string text;
  for (const TextPiece& piece : prompt) text += piece.text;
  return text;
}

/// Every one of `count` images stands in `prompt`.
bool shows_all(const PromptText& prompt, std::size_t count) {
  std::vector<bool> shown(count);
  for (const TextPiece& piece : prompt) {
    if (piece.image && *piece.image < count) shown[*piece.image] = true;
  }
  return std::ranges::all_of(shown, std::identity());
}

/// The model is left in the middle of a thought.
bool leaves_thought_open(const PromptText& prompt) {
  return !prompt.empty() && !prompt.back().from_caller &&
         without_blanks_at_end(prompt.back().text).ends_with(thought_open);
}

bool must_call(const Conversation& conversation) {
  const ToolChoice choice = conversation.tools.choice;
  return !conversation.tools.offered.empty() &&
         (choice == ToolChoice::any || choice == ToolChoice::named);
}

/// A turn that the answer continues: it ends with text.
bool is_open(const Turn& turn) {
  return turn.role == Role::assistant &&
         std::ranges::none_of(turn.content, [](const ContentBlock& block) {
           return std::holds_alternative<ToolUseBlock>(block);
         });
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

PromptText ChatTemplate::Compiled::written(const Asked& asked) const {
  jinja::context context(source.text);
  context.set_val("messages", asked.messages);
  if (asked.tools) context.set_val("tools", asked.tools);
  context.set_val("bos_token", template_text(source.bos));
  context.set_val("eos_token", template_text(source.eos));
  context.set_val("add_generation_prompt", jinja::mk_val<jinja::value_bool>(asked.answer_begins));
  context.set_val("enable_thinking", jinja::mk_val<jinja::value_bool>(asked.think));
  jinja::runtime runtime(context);
  const auto rendered = jinja::runtime::gather_string_parts(runtime.execute(program));
  PromptText prompt;
  for (auto& part : rendered->val_str.parts) {
    if (part.is_input) {
      prompt.push_back({std::move(part.val), true});
    } else {
      split_at_marks(part.val, prompt);
    }
  }
  return prompt;
}

std::string ChatTemplate::Compiled::probed(const std::vector<TemplateMessage>& messages,
                                           Asked asked) const {
  asked.messages = messages_value(messages, caps);
  try {
    return whole_text(written(asked));
  } catch (const std::exception&) {
    return {};
  }
}

/// Has a call written down and looks what stands around its name and its input.
void ChatTemplate::Compiled::find_call_form() {
  if (!caps.supports_tools || !caps.supports_tool_calls) return;
  constexpr std::string_view name = "NameProbe";
  constexpr std::size_t form_bytes_max = 100;
  const std::vector<Tool> offered{{"other", "", R"({"type":"object","properties":{}})"}};
  const std::vector<TemplateMessage> question{{.role = "user", .content = "Probe"}};
  std::vector<TemplateMessage> answered = question;
  answered.push_back(
      {.role = "assistant", .calls = {{"call00001", std::string(name), R"({"ArgumentProbe":1})"}}});
  const jinja::value tools = tools_value(offered);
  const std::string before =
      probed(question, {.messages = nullptr, .tools = tools, .answer_begins = true, .think = true});
  const std::string whole = probed(
      answered, {.messages = nullptr, .tools = tools, .answer_begins = false, .think = true});
  const std::size_t name_at = whole.find(name);
  if (before.empty() || name_at == whole.npos) return;
  // Some templates end what comes before an answer with a blank or a line's end more or less.
  const std::string_view head = without_blanks_at_end(before);
  if (!whole.starts_with(head) || name_at < head.size()) return;
  std::string open = whole.substr(head.size(), name_at - head.size());
  const std::string_view blanks = std::string_view(before).substr(head.size());
  if (open.starts_with(blanks)) open.erase(0, blanks.size());
  const std::size_t between_at = name_at + name.size();
  const std::size_t argument_at = whole.find("\"ArgumentProbe\"", between_at);
  if (argument_at == whole.npos) return;
  const std::size_t input_at = whole.rfind('{', argument_at);
  if (input_at == whole.npos || input_at < between_at) return;
  const std::string between(
      without_blanks_at_end(std::string_view(whole).substr(between_at, input_at - between_at)));
  if (open.size() > form_bytes_max || between.size() > form_bytes_max) return;
  form = {.open = std::move(open), .between = between, .own = true};
}

const CallForm& ChatTemplate::call_form() const { return compiled_->form; }
bool ChatTemplate::thinks() const { return compiled_->thinks; }

Result<ChatTemplate> ChatTemplate::compile(const TemplateSource& source) {
  try {
    auto compiled = std::make_unique<Compiled>(source);
    compiled->find_call_form();
    return ChatTemplate(std::move(compiled));
  } catch (const std::exception& exception) {
    return Error{ErrorCode::model_error,
                 "The model's chat template cannot be read: " + reason_of(exception)};
  }
}

Result<RenderedPrompt> ChatTemplate::render(const Conversation& conversation) const {
  const Compiled& compiled = *compiled_;
  std::vector<TemplateMessage> messages = messages_of(
      conversation, {.system = compiled.caps.supports_system_role, .tools = compiled.form.own});
  std::optional<std::string> prefill;
  if (!conversation.turns.empty() && is_open(conversation.turns.back())) {
    prefill = std::move(messages.back().content);
    messages.pop_back();
  }
  const bool calls = must_call(conversation);
  const bool think =
      compiled.thinks && conversation.reasoning.wanted && !calls && !prefill.has_value();
  const std::vector<Tool>& tools = told_of(conversation);
  RenderedPrompt prompt;
  try {
    prompt.text = compiled.written(
        {.messages = messages_value(messages, compiled.caps),
         .tools = compiled.form.own && !tools.empty() ? tools_value(tools) : nullptr,
         .answer_begins = true,
         .think = think});
  } catch (const std::exception& exception) {
    return Error{ErrorCode::validation,
                 "The model's chat template refuses the conversation: " + reason_of(exception)};
  }
  prompt.in_thought = leaves_thought_open(prompt.text);
  if (prompt.in_thought && !think) {
    prompt.text.push_back({"\n" + std::string(thought_close) + "\n\n", false});
    prompt.in_thought = false;
  }
  if (prefill) prompt.text.push_back({*std::move(prefill), true});
  if (calls) {
    prompt.call_begun = compiled.form.open;
    prompt.text.push_back({compiled.form.open, false});
  }
  const std::size_t images = images_of(conversation).size();
  if (images == 0) return prompt;
  prompt.text = place_images(std::move(prompt.text));
  if (!shows_all(prompt.text, images)) {
    return Error{ErrorCode::validation, "The model's chat template leaves an image out."};
  }
  return prompt;
}

}  // namespace craton::engines::llama
