#include "conversation/event.h"

#include <gtest/gtest.h>

#include "conversation/conversation.h"

namespace craton {
namespace {

TEST(AnswerBuilder, FoldsEventsIntoAnAnswer) {
  AnswerBuilder builder;
  builder.add(MessageStart{});
  builder.add(TextDelta{"Seo", 1, {}});
  builder.add(TextDelta{"ul", 2, {}});
  builder.add(MessageStop{StopReason::stop_sequence, "."});
  EXPECT_FALSE(builder.complete());
  builder.add(Usage{.input_tokens = 3, .output_tokens = 2});
  ASSERT_TRUE(builder.complete());
  const auto answer = builder.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text(), "Seoul");
  EXPECT_EQ(answer->stop_reason, StopReason::stop_sequence);
  EXPECT_EQ(answer->stop_sequence, ".");
  EXPECT_EQ(answer->usage.output_tokens, 2);
}

TEST(AnswerBuilder, BeginsABlockWhenTheKindChanges) {
  AnswerBuilder builder;
  for (Event event :
       {Event(MessageStart{}), Event(ReasoningDelta{"Hm"}), Event(ReasoningDelta{"."}),
        Event(TextDelta{"Let me see.", 4, {}}), Event(ToolUseStart{"weather"}),
        Event(ToolInputDelta{"{\"city\":"}), Event(ToolInputDelta{"\"Rome\"}"}),
        Event(ToolUseStop{}), Event(ToolUseStart{"clock"}), Event(ToolInputDelta{"{}"}),
        Event(ToolUseStop{}), Event(MessageStop{StopReason::tool_use, {}}), Event(Usage{})}) {
    builder.add(std::move(event));
  }
  const auto answer = builder.take();
  ASSERT_TRUE(answer);
  const std::vector<AnswerBlock> expected = {
      ReasoningBlock{"Hm.", {}, {}}, TextBlock{"Let me see."},
      ToolUseBlock{{}, "weather", "{\"city\":\"Rome\"}"}, ToolUseBlock{{}, "clock", "{}"}};
  EXPECT_EQ(answer->content, expected);
  EXPECT_EQ(answer->stop_reason, StopReason::tool_use);
}

TEST(AnswerBuilder, AFailureTakesTheAnswersPlace) {
  AnswerBuilder builder;
  builder.add(TextDelta{"half"});
  builder.add(Failure{{ErrorCode::model_timeout, "late"}, {}});
  ASSERT_TRUE(builder.complete());
  EXPECT_EQ(builder.take().error().error.code, ErrorCode::model_timeout);
}

TEST(Conversation, FindsImagesInTurnsAndToolResults) {
  Conversation conversation;
  append_turn(conversation, Role::user, "a");
  EXPECT_FALSE(has_images(conversation));
  Conversation with_result = conversation;
  with_result.turns[0].content.emplace_back(ToolResultBlock{"id", {TextBlock{"see"}}, false});
  EXPECT_FALSE(has_images(with_result));
  std::get<ToolResultBlock>(with_result.turns[0].content[1]).content.emplace_back(ImageBlock{});
  EXPECT_TRUE(has_images(with_result));
  conversation.turns[0].content.emplace_back(ImageBlock{});
  EXPECT_TRUE(has_images(conversation));
}

TEST(Conversation, JoinsTurnsOfOneRole) {
  Conversation conversation;
  append_turn(conversation, Role::user, "a");
  append_turn(conversation, Role::user, "b");
  append_turn(conversation, Role::assistant, "c");
  ASSERT_EQ(conversation.turns.size(), 2u);
  EXPECT_EQ(text_of(conversation.turns[0]), "ab");
}

TEST(Usage, CountsThePromptsTokensWhereverTheyCameFrom) {
  const Usage usage{
      .input_tokens = 1, .output_tokens = 2, .cache_read_tokens = 30, .cache_write_tokens = 400};
  EXPECT_EQ(prompt_tokens(usage), 431);
  EXPECT_EQ(without_cache(usage), (Usage{.input_tokens = 431, .output_tokens = 2}));
}

}  // namespace
}  // namespace craton
