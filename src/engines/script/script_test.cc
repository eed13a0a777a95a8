#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engines/script/rule_set.h"
#include "engines/script/tokens.h"

namespace craton::engines::script {
namespace {

using testing::HasSubstr;

std::shared_ptr<RuleSet> rules(std::string_view yaml) {
  Result<RulesFile> file = parse_rules(yaml, {"/some/where/rules.yaml", {}});
  EXPECT_TRUE(file) << file.error().message;
  return std::make_shared<RuleSet>(file ? std::move(*file) : RulesFile());
}

std::string refusal_of(std::string_view yaml) {
  const Result<RulesFile> file = parse_rules(yaml, {"rules.yaml", {}});
  return file ? "none" : file.error().message;
}

/// A question to rules.
struct Question {
  explicit Question(std::string text, bool in_stream = false) : streamed(in_stream) {
    append_turn(conversation, Role::user, std::move(text));
  }
  std::shared_ptr<Engine> claim(RuleSet& set) {
    const Request request = this->request();
    rules::RequestView view(request);
    return set.claim(view, struck);
  }
  std::string why_none(RuleSet& set) const {
    const Request request = this->request();
    rules::RequestView view(request);
    return set.why_none(view);
  }
  Request request() const {
    return {.operation = operation,
            .model_id = "m",
            .streamed = streamed,
            .conversation = conversation};
  }

  std::string_view operation = "Converse";
  bool streamed;
  Conversation conversation;
  faults::Struck struck;
};

tl::expected<Answer, Failure> read_all(Generation& generation) {
  AnswerBuilder builder;
  while (!builder.complete()) {
    if (std::optional<Event> event = generation.try_next()) {
      builder.add(std::move(*event));
    } else {
      std::this_thread::sleep_for(Milliseconds(1));
    }
  }
  return builder.take();
}

std::string said(RuleSet& set, std::string text, bool streamed = false) {
  Question question(std::move(text), streamed);
  const std::shared_ptr<Engine> engine = question.claim(set);
  if (!engine) return "(none)";
  const auto generation = engine->generate(question.conversation, {});
  return read_all(**generation)->text();
}

TEST(Tokens, AreCountedByTheRule) {
  EXPECT_EQ(count_tokens(""), 0);
  EXPECT_EQ(count_tokens("Hello, world!"), 4);
  EXPECT_EQ(count_tokens("안녕하세요"), 5);
  EXPECT_EQ(count_tokens("understanding"), 2);
  EXPECT_EQ(count_tokens("a \n"), 2);
  EXPECT_EQ(first_token("\x80\x80"), "\x80\x80") << "what is no character is cut off somewhere";
}

TEST(RuleSet, TheFirstThatFitsAnswers) {
  const auto set = rules("rules:\n- {match: {prompt: a}, answer: first}\n- {answer: second}\n");
  EXPECT_EQ(said(*set, "a"), "first");
  EXPECT_EQ(said(*set, "b"), "second");
  EXPECT_EQ(said(*set, "b", true), "second");
}

TEST(RuleSet, AnswersFollowEachOther) {
  const auto set = rules(
      "rules:\n- {match: {prompt: loop}, answers: [a, b], afterwards: loop}\n"
      "- {match: {prompt: pass}, answers: [a, b], afterwards: pass}\n- {answers: [x, y]}\n");
  std::string all;
  for (const char* text : {"loop", "loop", "loop", "pass", "pass", "pass", "pass", "z"}) {
    all += said(*set, text);
  }
  EXPECT_EQ(all, "abaabxyy");
  set->reset();
  EXPECT_EQ(said(*set, "z"), "x");
}

TEST(RuleSet, CountingTokensIsNoCall) {
  const auto set = rules("rules:\n- {answers: [x, y]}\n");
  Question question("one two");
  question.operation = "CountTokens";
  EXPECT_EQ(*question.claim(*set)->count_tokens(question.conversation), 2);
  EXPECT_EQ(said(*set, "z"), "x");
}

TEST(RuleSet, NamesTheNearestRuleAndNoFolder) {
  const auto set = rules(
      "rules:\n- {name: far, match: {prompt: x, model: y}, answer: a}\n"
      "- {name: near, match: {model: m, prompt: {contains: weather}}, answer: b}\n");
  EXPECT_EQ(
      Question("hi").why_none(*set),
      "rules.yaml has no rule for this request; the nearest is 'near' (line 3), which does not "
      "fit: prompt contains 'weather'.");
}

TEST(RuleSet, AnAnswerMayBeAFault) {
  const auto set =
      rules("rules:\n- answer: {fault: {fault: ThrottlingException, message: later}}\n");
  Question question("x");
  ASSERT_TRUE(question.claim(*set));
  ASSERT_EQ(question.struck.size(), 1U);
  EXPECT_EQ(question.struck[0]->message, "later");
}

TEST(RuleSet, ToleratesReadersThatAreSlowOrLeave) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "word ";
  const auto set = rules("rules:\n- answer: \"" + text + "\"\n");
  EXPECT_EQ(said(*set, "x", true), text);
  Question question("x", true);
  const auto generation = question.claim(*set)->generate(question.conversation, {});
  ASSERT_TRUE((*generation)->try_next());
  (*generation)->cancel();
}

TEST(RuleSet, PacedAnswersTakeTheirTimeAndTellTheirDeadline) {
  const auto set = rules(
      "pacing: {first-token: 20ms, tokens-per-second: 500, jitter: 0.2}\n"
      "rules:\n- {match: {prompt: never}, answer: {text: a, pacing: {first-token: 1m}}}\n"
      "- {answer: a b c d e f g h i j}\n");
  const SteadyTime began = std::chrono::steady_clock::now();
  EXPECT_EQ(said(*set, "x", true), "a b c d e f g h i j");
  EXPECT_GE(std::chrono::steady_clock::now() - began, Milliseconds(25));
  Question never("never");
  Limits limits;
  limits.deadline = std::chrono::steady_clock::now() + Milliseconds(20);
  const auto generation = never.claim(*set)->generate(never.conversation, limits);
  EXPECT_EQ(read_all(**generation).error().error.code, ErrorCode::model_timeout);
}

TEST(RuleSet, EndsWhatWaitsWhenItGoes) {
  auto set = rules("pacing: {first-token: 1m}\nrules:\n- {answer: a}\n");
  Question question("x", true);
  std::shared_ptr<Engine> engine = question.claim(*set);
  const auto generation = engine->generate(question.conversation, {});
  engine.reset();
  set.reset();
  EXPECT_EQ(read_all(**generation).error().error.code, ErrorCode::service_unavailable);
}

TEST(RuleSet, CountsCallsOnManyThreads) {
  const auto set = rules("rules:\n- {match: {call: 1000+}, answer: late}\n- {answer: early}\n");
  std::atomic<int> late = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) late += said(*set, "x") == "late" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(late, 1001);
}

TEST(RuleSet, GivesSoManyTokensAnEvent) {
  const auto set = rules(
      "rules: [{answer: {text: a b c d, pacing: {tokens-per-event: 3}, "
      "tool-calls: [{name: f, id: call_1}]}}]");
  Question question("x", true);
  const auto generation = question.claim(*set)->generate(question.conversation, {});
  std::vector<std::string> told;
  while (std::optional<Event> event = (*generation)->try_next()) {
    if (const auto* text = std::get_if<TextDelta>(&*event)) told.push_back(text->text);
    if (const auto* call = std::get_if<ToolUseStart>(&*event)) told.push_back(call->id);
    if (const auto* usage = std::get_if<Usage>(&*event)) {
      told.push_back(std::to_string(usage->output_tokens));
    }
  }
  EXPECT_THAT(told, testing::ElementsAre("a b c", " d", "call_1", "6"));
}

TEST(RulesFile, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(refusal_of(""), HasSubstr("rules.yaml:1: the file is empty"));
  EXPECT_THAT(refusal_of("rule: []"), HasSubstr("did you mean 'rules'?"));
  EXPECT_THAT(refusal_of("rules: []"), HasSubstr("no rules and no faults"));
  EXPECT_THAT(refusal_of("rules:\n- {name: x}"), HasSubstr(":2: x has no answer"));
  EXPECT_THAT(refusal_of("rules:\n- answer: {txt: x}"), HasSubstr("did you mean 'text'?"));
  EXPECT_THAT(refusal_of("rules:\n- answer: {tool-calls: [{input: {}}]}"),
              HasSubstr("needs a name"));
  EXPECT_THAT(refusal_of("rules:\n- answer: {text: a, content: [{text: b}]}"), HasSubstr("either"));
  EXPECT_THAT(refusal_of("rules:\n- {name: \"a\\nb\", answer: c}"),
              HasSubstr("control characters"));
  EXPECT_THAT(refusal_of("rules:\n- answer: {file: x}"), HasSubstr("no files can be named here"));
  EXPECT_THAT(refusal_of("rules:\n- answer: {usage: {input-tokens: -1}}"), HasSubstr("from 0"));
}

}  // namespace
}  // namespace craton::engines::script
