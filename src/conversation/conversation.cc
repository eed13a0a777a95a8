#include "conversation/conversation.h"

#include <algorithm>
#include <utility>

namespace craton {
namespace {

bool is_or_holds_image(const ContentBlock& block) {
  if (std::holds_alternative<ImageBlock>(block)) return true;
  const auto* result = std::get_if<ToolResultBlock>(&block);
  return result && std::ranges::any_of(result->content, [](const ToolResultPart& part) {
           return std::holds_alternative<ImageBlock>(part);
         });
}

}  // namespace

std::string text_of(const Turn& turn) {
  std::string text;
  for (const ContentBlock& block : turn.content) {
    if (const auto* piece = std::get_if<TextBlock>(&block)) text += piece->text;
  }
  return text;
}

void append_turn(Conversation& conversation, Role role, std::string text) {
  if (conversation.turns.empty() || conversation.turns.back().role != role) {
    conversation.turns.push_back({role, {}});
  }
  conversation.turns.back().content.emplace_back(TextBlock{std::move(text)});
}

bool has_images(const Conversation& conversation) {
  return std::ranges::any_of(conversation.turns, [](const Turn& turn) {
    return std::ranges::any_of(turn.content, is_or_holds_image);
  });
}

}  // namespace craton
