#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/faults/answer_filter.h"
#include "engines/faults/fault_set.h"

namespace craton::engines::faults {
namespace {

using testing::HasSubstr;

Fault fault(std::string_view words) {
  Result<Fault> read = read_fault_words(words, "test");
  EXPECT_TRUE(read) << read.error().message;
  return read ? std::move(*read) : Fault();
}

std::string refusal_of(std::string_view words) {
  const Result<Fault> read = read_fault_words(words, "test");
  return read ? "none" : read.error().message;
}

const Conversation nothing;

int strikes(FaultSet& set, int requests, std::string_view operation = "ConverseStream") {
  int struck = 0;
  for (int i = 0; i < requests; ++i) {
    const Request request{
        .operation = operation, .streamed = operation == "ConverseStream", .conversation = nothing};
    rules::RequestView view(request);
    Struck faults;
    set.draw(view, faults);
    struck += static_cast<int>(faults.size());
  }
  return struck;
}

TEST(Fault, EveryExceptionOfTheServiceModelsIsOne) {
  for (const ErrorShape& shape : error_shapes) {
    if (shape.code >= ErrorCode::not_implemented) continue;
    const Fault read = fault(shape.name);
    EXPECT_EQ(read.code, shape.code);
    EXPECT_FALSE(read.message.empty());
  }
}

TEST(Fault, RefusesWhatAKindHasNot) {
  EXPECT_THAT(refusal_of(""), HasSubstr("say which one"));
  EXPECT_THAT(refusal_of("stall;bytes=3"), HasSubstr("stall has no bytes"));
  EXPECT_THAT(refusal_of("empty-answer;at=3"), HasSubstr("empty-answer has no at"));
  EXPECT_THAT(refusal_of("drop;message=x"), HasSubstr("drop has no message or retry-after"));
  EXPECT_THAT(refusal_of("AccessDeniedException;at=1"), HasSubstr("does not come within a stream"));
  EXPECT_THAT(refusal_of("stall;probability=2"), HasSubstr("from 0 to 1"));
}

TEST(FaultSet, CountsAfterAndCalls) {
  FaultSet set({fault("drop;after=2;count=3")});
  EXPECT_EQ(strikes(set, 2), 0);
  EXPECT_EQ(strikes(set, 10), 3);
  set.reset();
  EXPECT_EQ(strikes(set, 5), 3);
  FaultSet second({fault("drop;match.call=2-3")});
  EXPECT_EQ(strikes(second, 10), 2);
}

TEST(FaultSet, DrawsTheSameWithTheSameSeed) {
  FaultSet a({fault("drop;probability=0.3;seed=9")});
  FaultSet b({fault("drop;probability=0.3;seed=9")});
  const int struck = strikes(a, 1000);
  EXPECT_EQ(strikes(b, 1000), struck);
  EXPECT_NEAR(struck, 300, 60);
}

TEST(FaultSet, LeavesAloneWhatAFaultCannotTouch) {
  FaultSet set({fault("stall"), fault("bad-crc"), fault("ThrottlingException;at=2")});
  EXPECT_EQ(strikes(set, 1, "Converse"), 0);
  EXPECT_EQ(strikes(set, 1), 3);
  FaultSet drop({fault("drop"), fault("slow-start")});
  EXPECT_EQ(strikes(drop, 1, "CountTokens"), 1);
}

TEST(FaultSet, IsBounded) {
  FaultSet set;
  for (std::size_t i = 0; i < FaultSet::faults_max; ++i) ASSERT_TRUE(set.add(fault("drop")));
  EXPECT_FALSE(set.add(fault("drop")));
}

std::vector<Event> filtered(std::string_view words, std::vector<Event> events) {
  AnswerFilter filter({std::make_shared<const Fault>(fault(words))});
  std::vector<Event> out;
  for (Event& event : events) filter.pass(std::move(event), out);
  return out;
}

TEST(AnswerFilter, CutsTheInputOfCallsInTheMiddleOfNoCharacter) {
  const auto out =
      filtered("truncated-tool-input",
               {ToolUseStart{"f"}, ToolInputDelta{"{\"\xEC\x84"}, ToolInputDelta{"\x9C\":1}"},
                ToolUseStop{}, MessageStop{StopReason::tool_use, {}}, Usage{}});
  ASSERT_EQ(out.size(), 5U);
  EXPECT_EQ(std::get<ToolInputDelta>(out[1]).json, "{\"");
  EXPECT_EQ(std::get<MessageStop>(out[3]).reason, StopReason::max_tokens);
}

TEST(AnswerFilter, LeavesNothingOfAnAnswer) {
  const auto out = filtered(
      "empty-answer", {MessageStart{}, TextDelta{"a", 1, {}}, ToolUseStart{"f"}, ToolUseStop{},
                       MessageStop{StopReason::tool_use, {}}, Usage{.output_tokens = 4}});
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(std::get<MessageStop>(out[1]).reason, StopReason::end_turn);
  EXPECT_EQ(std::get<Usage>(out[2]).output_tokens, 0);
}

}  // namespace
}  // namespace craton::engines::faults
