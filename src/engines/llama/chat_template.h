// ChatTemplate: a model's own way to write a conversation down, a Jinja template from its file.
//
//   system, turns ──► <|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n…
//
// Rendered by llama.cpp's Jinja, which keeps what came from the caller apart from what the template
// wrote (PromptText). What a template can do (tools, and how it writes their calls; thinking) is
// found out by rendering probes when it is compiled. One without tools gets them described in the
// system's text.
//
// Immutable after compile(): render() may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/conversation.h"
#include "engines/llama/call_form.h"
#include "engines/llama/prompt_text.h"

namespace craton::engines::llama {

/// For models that bring no template: the most common form.
extern const std::string_view chatml_template;

struct TemplateSource {
  std::string text;  ///< Jinja
  std::string bos;   ///< What the template calls `bos_token`: the text of the model's first token.
  std::string eos;
};

/// A prompt, and in the middle of what it leaves the model.
struct RenderedPrompt {
  PromptText text;
  bool in_thought = false;      ///< The answer begins with what the model thinks.
  std::string call_begun = {};  ///< The beginning of a tool call; the answer goes on from it.
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
  /// template that knows no system gets them at the head of the first user turn. When a tool must
  /// be called, the call is begun; when thoughts are not wanted, the model is not let think. Every
  /// image of the conversation is a piece where it stands in it. Fails with `validation` when the
  /// template refuses (turns that do not alternate, ...) or leaves an image out.
  Result<RenderedPrompt> render(const Conversation& conversation) const;

  /// How the model writes calls of tools.
  const CallForm& call_form() const;

  /// The model thinks between thought_open and thought_close, when asked to.
  bool thinks() const;

 private:
  struct Compiled;
  explicit ChatTemplate(std::unique_ptr<const Compiled> compiled);

  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace craton::engines::llama
