#include "engines/script/tokens.h"

#include <algorithm>
#include <variant>

#include "base/utf8.h"

namespace craton::engines::script {
namespace {

constexpr std::size_t word_max = 8;
constexpr int image_tokens = 1000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int of(const TextBlock& block) { return count_tokens(block.text); }
int of(const ImageBlock&) { return image_tokens; }
int of(const DocumentBlock& block) { return count_tokens(block.context); }
int of(const ToolUseBlock& block) { return count_tokens(block.name) + count_tokens(block.input); }
int of(const ToolResultBlock& block) {
  int tokens = 0;
  for (const ToolResultPart& part : block.content) {
    tokens += std::visit([](const auto& inner) { return of(inner); }, part);
  }
  return tokens;
}
int of(const ReasoningBlock& block) { return count_tokens(block.text); }

}  // namespace

std::string_view first_token(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_blank(text[end])) ++end;
  if (end == text.size()) return text;
  const std::size_t begin = end++;
  if (is_word(text[begin])) {
    while (end < text.size() && end - begin < word_max && is_word(text[end])) ++end;
  } else {
    while (end < text.size() && !begins_character(text[end])) ++end;
  }
  return text.substr(0, end);
}

int count_tokens(std::string_view text) {
  int tokens = 0;
  for (; !text.empty(); ++tokens) text.remove_prefix(first_token(text).size());
  return tokens;
}

int count_tokens(const Conversation& conversation) {
  int tokens = 0;
  for (const TextBlock& block : conversation.system) tokens += of(block);
  for (const Tool& tool : conversation.tools.offered) {
    tokens +=
        count_tokens(tool.name) + count_tokens(tool.description) + count_tokens(tool.input_schema);
  }
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) {
      tokens += std::visit([](const auto& inner) { return of(inner); }, block);
    }
  }
  return tokens;
}

}  // namespace craton::engines::script
