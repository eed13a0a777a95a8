// Whatever the turns say, the template writes it down whole, and knows which part the callers
// wrote.
//
// Input: turns, each ended by 0xFF, the roles taking turns; the first is the system's.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "engines/llama/chat_template.h"
#include "engines/llama/template_messages.h"

using namespace craton;
using namespace craton::engines::llama;

namespace {

struct Written {
  std::string text;
  std::string by_callers;

  void add(const std::string& role, const std::string& content) {
    text += "<|im_start|>" + role + "\n" + content + "<|im_end|>\n";
    by_callers += content;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto form =
      ChatTemplate::compile({.text = std::string(chatml_template), .bos = "", .eos = ""});
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Conversation conversation;
  Written expected;
  for (std::size_t end, turn = 0; (end = input.find('\xFF')) != input.npos; ++turn) {
    const std::string raw(input.substr(0, end));
    const std::string content = without_image_marks(raw);
    input.remove_prefix(end + 1);
    if (turn == 0) {
      conversation.system.push_back({raw});
      if (!content.empty()) expected.add("system", content);
      continue;
    }
    const bool user = turn % 2 == 1;
    conversation.turns.push_back({user ? Role::user : Role::assistant, {TextBlock{raw}}});
    const bool prefill = !user && input.find('\xFF') == input.npos;
    if (!prefill) expected.add(user ? "user" : "assistant", content);
  }
  expected.text += "<|im_start|>assistant\n";
  if (!conversation.turns.empty() && conversation.turns.back().role == Role::assistant) {
    const std::string content = without_image_marks(text_of(conversation.turns.back()));
    expected.text += content;
    expected.by_callers += content;
  }
  const auto prompt = form->render(conversation);
  if (!prompt) std::abort();
  Written got;
  for (const TextPiece& piece : prompt->text) {
    got.text += piece.text;
    if (piece.from_caller) got.by_callers += piece.text;
  }
  if (got.text != expected.text || got.by_callers != expected.by_callers) std::abort();
  return 0;
}
