#include "conversation/event.h"

#include <gtest/gtest.h>

#include "conversation/conversation.h"

namespace craton {
namespace {

TEST(AnswerBuilder, FoldsEventsIntoAnAnswer) {
  AnswerBuilder builder;
  builder.add(MessageStart{});
  builder.add(TextDelta{"Seo"});
  builder.add(TextDelta{"ul"});
  builder.add(MessageStop{StopReason::stop_sequence, "."});
  EXPECT_FALSE(builder.complete());
  builder.add(Usage{.input_tokens = 3, .output_tokens = 2});
  ASSERT_TRUE(builder.complete());
  const auto answer = builder.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "Seoul");
  EXPECT_EQ(answer->stop_reason, StopReason::stop_sequence);
  EXPECT_EQ(answer->stop_sequence, ".");
  EXPECT_EQ(answer->usage.output_tokens, 2);
}

TEST(AnswerBuilder, AFailureTakesTheAnswersPlace) {
  AnswerBuilder builder;
  builder.add(TextDelta{"half"});
  builder.add(Failure{{ErrorCode::model_timeout, "late"}, {}});
  ASSERT_TRUE(builder.complete());
  EXPECT_EQ(builder.take().error().error.code, ErrorCode::model_timeout);
}

TEST(Conversation, JoinsTurnsOfOneRole) {
  Conversation conversation;
  append_turn(conversation, Role::user, "a");
  append_turn(conversation, Role::user, "b");
  append_turn(conversation, Role::assistant, "c");
  ASSERT_EQ(conversation.turns.size(), 2u);
  EXPECT_EQ(text_of(conversation.turns[0]), "ab");
}

}  // namespace
}  // namespace craton
