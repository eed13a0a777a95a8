#include "conversation/event.h"

#include <iterator>
#include <utility>

namespace craton {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

/// The last block of `content`, which is a `Block`: a new one unless the last is one already.
template <class Block>
Block& last_block(std::vector<AnswerBlock>& content) {
  if (content.empty() || !std::holds_alternative<Block>(content.back())) {
    content.emplace_back(Block{});
  }
  return std::get<Block>(content.back());
}

void append(std::vector<TokenLikelihood> more, std::vector<TokenLikelihood>& all) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

int prompt_tokens(const Usage& usage) {
  return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
}

Usage without_cache(const Usage& usage) {
  return {.input_tokens = prompt_tokens(usage), .output_tokens = usage.output_tokens};
}

std::string Answer::text() const {
  std::string text;
  for (const AnswerBlock& block : content) {
    if (const auto* piece = std::get_if<TextBlock>(&block)) text += piece->text;
  }
  return text;
}

Answer text_answer(std::string text) {
  Answer answer;
  if (!text.empty()) answer.content.emplace_back(TextBlock{std::move(text)});
  return answer;
}

void AnswerBuilder::add_text(TextDelta delta) {
  append(std::move(delta.likelihoods), answer_.likelihoods);
  if (!delta.text.empty()) last_block<TextBlock>(answer_.content).text += delta.text;
}

void AnswerBuilder::add(Event event) {
  auto& content = answer_.content;
  std::visit(
      Overloaded{
          [&](MessageStart& start) {
            answer_.prompt_likelihoods = std::move(start.prompt_likelihoods);
          },
          [&](TextDelta& delta) { add_text(std::move(delta)); },
          [&](ReasoningDelta& delta) {
            auto& block = last_block<ReasoningBlock>(content);
            block.text += delta.text;
            block.signature += delta.signature;
            block.redacted += delta.redacted;
          },
          [&](ToolUseStart& start) {
            content.emplace_back(
                ToolUseBlock{.id = std::move(start.id), .name = std::move(start.name), .input = {}});
          },
          [&](ToolInputDelta& delta) { last_block<ToolUseBlock>(content).input += delta.json; },
          [](ToolUseStop&) {},
          [&](MessageStop& stop) {
            answer_.stop_reason = stop.reason;
            answer_.stop_sequence = std::move(stop.stop_sequence);
          },
          [&](Usage& usage) {
            answer_.usage = usage;
            complete_ = true;
          },
          [&](Failure& failure) {
            failure_ = std::move(failure);
            complete_ = true;
          },
      },
      event);
}

tl::expected<Answer, Failure> AnswerBuilder::take() {
  if (failure_) return tl::unexpected(*std::move(failure_));
  return std::move(answer_);
}

}  // namespace craton
