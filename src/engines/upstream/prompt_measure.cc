#include "engines/upstream/prompt_measure.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include "engines/upstream/balancer.h"

namespace craton::engines::upstream {
namespace {

constexpr std::size_t bytes_of_a_token = 4;
constexpr std::size_t tokens_of_a_message = 4;
constexpr std::size_t tokens_of_an_image = 512;
constexpr std::uint64_t prompt_discount = 16;    // a prompt's token beside one of the answer
constexpr int answer_tokens_foreseen = 512;      // more are asked for than are ever made
constexpr std::size_t prefix_bytes_max = 16384;  // enough to tell conversations apart

/// Calls `take(text)` for what the prompt has, in its order; images as their bytes.
template <class Take>
void for_each_text(const Turn& turn, const Take& take) {
  for (const ContentBlock& block : turn.content) {
    if (const auto* text = std::get_if<TextBlock>(&block)) take(text->text);
    if (const auto* image = std::get_if<ImageBlock>(&block)) take(image->bytes);
    if (const auto* call = std::get_if<ToolUseBlock>(&block)) {
      take(call->name);
      take(call->input);
    }
    const auto* result = std::get_if<ToolResultBlock>(&block);
    if (!result) continue;
    for (const ToolResultPart& part : result->content) {
      if (const auto* text = std::get_if<TextBlock>(&part)) take(text->text);
      if (const auto* image = std::get_if<ImageBlock>(&part)) take(image->bytes);
    }
  }
}

template <class Take>
void for_each_lead(const Conversation& conversation, const Take& take) {
  for (const TextBlock& block : conversation.system) take(block.text);
  for (const Tool& tool : conversation.tools.offered) {
    take(tool.name);
    take(tool.description);
    take(tool.input_schema);
  }
}

}  // namespace

int estimated_tokens(const Conversation& conversation) {
  std::size_t bytes = 0;
  const auto add = [&](std::string_view text) { bytes += text.size(); };
  for_each_lead(conversation, add);
  for (const Turn& turn : conversation.turns) for_each_text(turn, add);
  const std::vector<const ImageBlock*> images = images_of(conversation);
  for (const ImageBlock* image : images) bytes -= image->bytes.size();
  const std::size_t tokens = (bytes + bytes_of_a_token - 1) / bytes_of_a_token +
                             conversation.turns.size() * tokens_of_a_message +
                             images.size() * tokens_of_an_image;
  constexpr std::size_t most = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(tokens, most));
}

std::uint64_t work_of(const Conversation& conversation) {
  const int answer = std::clamp(conversation.sampling.tokens_max.value_or(answer_tokens_foreseen),
                                1, answer_tokens_foreseen);
  return static_cast<std::uint64_t>(answer) +
         static_cast<std::uint64_t>(estimated_tokens(conversation)) / prompt_discount;
}

std::uint64_t work_of(const EmbeddingRequest& request) {
  std::size_t bytes = 0;
  for (const EmbeddingItem& item : request.items) bytes += item.text ? item.text->size() : 0;
  return 1 + bytes / bytes_of_a_token / prompt_discount;
}

std::uint64_t prefix_key(const Conversation& conversation) {
  std::string lead;
  const auto add = [&](std::string_view text) {
    lead += text.substr(0, prefix_bytes_max - std::min(lead.size(), prefix_bytes_max));
    lead += '\0';
  };
  for_each_lead(conversation, add);
  if (!conversation.turns.empty()) for_each_text(conversation.turns.front(), add);
  return Balancer::hash_of(lead);
}

/// Nothing of it is kept, so any place will do, and not the same for all.
std::uint64_t prefix_key(const EmbeddingRequest& request) {
  const bool has_text = !request.items.empty() && request.items.front().text;
  return Balancer::hash_of(
      has_text ? std::string_view(*request.items.front().text).substr(0, prefix_bytes_max)
               : std::string_view());
}

}  // namespace craton::engines::upstream
