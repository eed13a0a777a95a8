#include "engines/llama/answer_assembler.h"

#include <gtest/gtest.h>

#include "engines/llama/schema_grammar.h"

namespace craton::engines::llama {
namespace {

GrammarRoot root_of(std::string_view schema) {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  const RuleId rule = *add_schema(json, schema, SchemaRoot::any);
  return {*builder.finish(), rule};
}

std::shared_ptr<const CallPlan> one_tool() {
  const GrammarRoot input = root_of(R"({"type":"object","properties":{"q":{"type":"string"}}})");
  return std::make_shared<const CallPlan>(
      CallPlan{.tools = {{"find", input}}, .any_input = root_of(R"({"type":"object"})")});
}

/// The events of an answer whose tokens are `tokens`, folded.
Answer answer_of(AnswerPlan plan, const std::vector<std::string>& tokens,
                 StopReason otherwise = StopReason::end_turn) {
  AnswerAssembler assembler(std::move(plan));
  std::vector<Event> events;
  int count = 0;
  for (const std::string& token : tokens) {
    if (assembler.complete()) break;
    assembler.add({.bytes = token, .output_tokens = ++count}, events);
  }
  assembler.finish(otherwise, events);
  AnswerBuilder builder;
  for (Event& event : events) builder.add(std::move(event));
  builder.add(Usage{});
  return *builder.take();
}

std::vector<std::string> bytes_of(std::string_view text) {
  std::vector<std::string> all;
  for (const char byte : text) all.emplace_back(1, byte);
  return all;
}

std::string told(const Answer& answer) {
  std::string all;
  for (const AnswerBlock& block : answer.content) {
    if (const auto* text = std::get_if<TextBlock>(&block)) all += "[" + text->text + "]";
    if (const auto* thought = std::get_if<ReasoningBlock>(&block)) all += "(" + thought->text + ")";
    if (const auto* call = std::get_if<ToolUseBlock>(&block)) all += call->name + call->input;
  }
  return all;
}

TEST(AnswerAssembler, PutsThoughtTextAndCallsInTheirPlaces) {
  const std::string_view said =
      "<think>\nHm.\n</think>\n\nI "
      "look.\n\n<tool_call>{\"name\":\"find\",\"arguments\":{\"q\":\"한\"}}</tool_call>";
  AnswerPlan plan{.thoughts = ThoughtPlan{.shown = true}, .calls = one_tool()};
  const Answer got = answer_of(plan, bytes_of(said));
  EXPECT_EQ(told(got), "(Hm.)[I look.]find{\"q\":\"한\"}");
  EXPECT_EQ(got.stop_reason, StopReason::tool_use);
  EXPECT_EQ(told(answer_of(plan, {std::string(said)})), told(got));
  plan.thoughts->shown = false;
  EXPECT_EQ(told(answer_of(plan, bytes_of(said))), "[I look.]find{\"q\":\"한\"}");
}

TEST(AnswerAssembler, LooksForStopSequencesInTheTextAlone) {
  const AnswerPlan plan{.stop_sequences = {"END"},
                        .thoughts = ThoughtPlan{.shown = true, .begun = true},
                        .calls = one_tool()};
  const Answer text = answer_of(plan, bytes_of("END?</think>so END of it"));
  EXPECT_EQ(told(text), "(END?)[so ]");
  EXPECT_EQ(text.stop_reason, StopReason::stop_sequence);
  const Answer call =
      answer_of(plan, bytes_of(R"(x</think>{"name":"find","arguments":{"q":"END"}})"));
  EXPECT_EQ(told(call), R"((x)find{"q":"END"})");
  EXPECT_EQ(call.stop_reason, StopReason::tool_use);
}

TEST(AnswerAssembler, SaysThatTheLimitEndedItInTheMiddleOfACall) {
  const AnswerPlan plan{.calls = one_tool()};
  const Answer cut =
      answer_of(plan, bytes_of(R"({"name":"find","arguments":{"q":"x)"), StopReason::max_tokens);
  EXPECT_EQ(told(cut), R"(find{"q":"x)");
  EXPECT_EQ(cut.stop_reason, StopReason::max_tokens);
  const Answer whole =
      answer_of(plan, bytes_of(R"({"name":"find","arguments":{}})"), StopReason::max_tokens);
  EXPECT_EQ(whole.stop_reason, StopReason::tool_use) << "what is there is complete";
}

TEST(AnswerAssembler, LeavesTextAsItIsWhereNoCallFollows) {
  const AnswerPlan plan{.calls = one_tool()};
  EXPECT_EQ(told(answer_of(plan, bytes_of("one \n two\n\n"))), "[one \n two\n\n]");
}

TEST(AnswerAssembler, KeepsTheTextToItsForm) {
  AnswerAssembler assembler(
      {.text_form =
           root_of(R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})")});
  std::vector<Event> events;
  EXPECT_TRUE(assembler.constrains());
  EXPECT_FALSE(assembler.allows("Sure"));
  EXPECT_FALSE(assembler.allows(""));
  EXPECT_TRUE(assembler.allows("{\"n"));
  EXPECT_FALSE(assembler.allows("{\"n\": 1} done")) << "nothing may follow";
  EXPECT_FALSE(assembler.may_end());
  assembler.add({.bytes = "{\"n\": 1", .output_tokens = 1}, events);
  EXPECT_FALSE(assembler.complete());
  assembler.add({.bytes = "}", .output_tokens = 2}, events);
  EXPECT_TRUE(assembler.complete());
  EXPECT_TRUE(assembler.may_end());
}

TEST(AnswerAssembler, LetsAThoughtComeBeforeTheForm) {
  AnswerAssembler assembler(
      {.thoughts = ThoughtPlan{.shown = true}, .text_form = root_of("{\"type\":\"object\"}")});
  std::vector<Event> events;
  EXPECT_TRUE(assembler.allows("<th"));
  EXPECT_FALSE(assembler.allows("<ht"));
  for (const char* token : {"<th", "ink>", "anything {"}) {
    EXPECT_TRUE(assembler.allows(token)) << token;
    assembler.add({.bytes = token, .output_tokens = 1}, events);
  }
  assembler.add({.bytes = "</think>", .output_tokens = 4}, events);
  EXPECT_FALSE(assembler.allows("no"));
  EXPECT_TRUE(assembler.allows("{}"));
}

TEST(AnswerAssembler, ClosesAThoughtThatIsLongEnough) {
  AnswerAssembler assembler(
      {.thoughts = ThoughtPlan{.shown = true, .begun = true, .tokens_max = 3}});
  std::vector<Event> events;
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(assembler.allows("hm "));
    assembler.add({.bytes = "hm ", .output_tokens = i}, events);
  }
  EXPECT_FALSE(assembler.allows("hm "));
  EXPECT_FALSE(assembler.may_end());
  for (const char* token : {"\n</", "think>"}) {
    EXPECT_TRUE(assembler.allows(token));
    assembler.add({.bytes = token, .output_tokens = 4}, events);
  }
  EXPECT_TRUE(assembler.allows("So"));
}

TEST(AnswerAssembler, TellsEachTokensLikelihoodWithTheTextItBelongsTo) {
  AnswerAssembler assembler({.stop_sequences = {"stop"}});
  std::vector<Event> events;
  int count = 0;
  for (const char* token : {"a ", "st", "ay ", "st", "op"}) {
    assembler.add({.bytes = token,
                   .output_tokens = ++count,
                   .likelihood = TokenLikelihood{token, -1.0 * count}},
                  events);
  }
  assembler.finish(StopReason::end_turn, events);
  ASSERT_EQ(events.size(), 3u);
  const auto& first = std::get<TextDelta>(events[0]);
  const auto& second = std::get<TextDelta>(events[1]);
  EXPECT_EQ(first.text, "a ");
  EXPECT_EQ(first.likelihoods.size(), 1u);
  EXPECT_EQ(second.text, "stay ");
  EXPECT_EQ(second.likelihoods.size(), 2u);
  EXPECT_EQ(second.output_tokens, 3);
}

}  // namespace
}  // namespace craton::engines::llama
