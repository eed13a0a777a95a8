#include "conversation/conversation.h"

#include <utility>

namespace craton {

std::string text_of(const Turn& turn) {
  std::string text;
  for (const ContentBlock& block : turn.content) text += std::get<TextBlock>(block).text;
  return text;
}

void append_turn(Conversation& conversation, Role role, std::string text) {
  if (conversation.turns.empty() || conversation.turns.back().role != role) {
    conversation.turns.push_back({role, {}});
  }
  conversation.turns.back().content.emplace_back(TextBlock{std::move(text)});
}

}  // namespace craton
