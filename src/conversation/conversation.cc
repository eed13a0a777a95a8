#include "conversation/conversation.h"

#include <algorithm>
#include <utility>

namespace craton {
namespace {

/// True when some block, or some tool's result, is a `Block`.
template <class Block>
bool has(const Conversation& conversation) {
  const auto is_one = [](const auto& block) { return std::holds_alternative<Block>(block); };
  const auto is_or_holds_one = [&](const ContentBlock& block) {
    const auto* result = std::get_if<ToolResultBlock>(&block);
    return is_one(block) || (result && std::ranges::any_of(result->content, is_one));
  };
  return std::ranges::any_of(conversation.turns, [&](const Turn& turn) {
    return std::ranges::any_of(turn.content, is_or_holds_one);
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

void mark_for_cache(Conversation& conversation, Place place, CacheLife life) {
  conversation.caching = true;
  if (place >= conversation.cached_until.value_or(Place{})) conversation.cache_life = life;
  conversation.cached_until = std::max(conversation.cached_until.value_or(Place{}), place);
}

std::vector<const ImageBlock*> images_of(const Conversation& conversation) {
  std::vector<const ImageBlock*> images;
  const auto add = [&](const auto& block) {
    if (const auto* image = std::get_if<ImageBlock>(&block)) images.push_back(image);
  };
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) {
      add(block);
      const auto* result = std::get_if<ToolResultBlock>(&block);
      if (result) std::ranges::for_each(result->content, add);
    }
  }
  return images;
}

bool has_images(const Conversation& conversation) { return has<ImageBlock>(conversation); }

bool has_documents(const Conversation& conversation) { return has<DocumentBlock>(conversation); }

}  // namespace craton
