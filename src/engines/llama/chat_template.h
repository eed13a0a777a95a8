// ChatTemplate: a model's own way to write a conversation down, a Jinja template from its file.
//
//   system, turns ──► <|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n…
//
// Rendered by llama.cpp's Jinja, which keeps what came from the caller apart from what the template
// wrote (PromptText).
//
// Immutable after compile(): render() may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/conversation.h"
#include "engines/llama/prompt_text.h"

namespace craton::engines::llama {

/// For models that bring no template: the most common form.
extern const std::string_view chatml_template;

struct TemplateSource {
  std::string text;  ///< Jinja
  std::string bos;   ///< What the template calls `bos_token`: the text of the model's first token.
  std::string eos;
};

class ChatTemplate {
 public:
  /// Fails with `model_error` when `source` is no Jinja that llama.cpp knows; the message says
  /// where.
  static Result<ChatTemplate> compile(const TemplateSource& source);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  /// `conversation` written down, up to where the model is to go on. A last turn of the assistant
  /// is left open, so that the answer continues it. System blocks are joined by blank lines; a
  /// template that knows no system gets them at the head of the first user turn. Fails with
  /// `validation` when the template refuses (turns that do not alternate, ...).
  Result<PromptText> render(const Conversation& conversation) const;

 private:
  struct Compiled;
  explicit ChatTemplate(std::unique_ptr<const Compiled> compiled);

  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace craton::engines::llama
