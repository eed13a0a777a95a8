#include "engines/llama/llama_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <thread>

#include "base/utf8.h"
#include "engines/llama/stop_matcher.h"
#include "engines/llama/test_answers.h"
#include "engines/llama/test_models.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Conversation asked(std::string text) {
  Conversation conversation;
  append_turn(conversation, Role::user, std::move(text));
  conversation.sampling.temperature = 0;
  conversation.sampling.tokens_max = 48;
  return conversation;
}

class LlamaEngineTest : public testing::Test {
 protected:
  void start(const TestModel& model, LlamaOptions options = {}) {
    options.path = path_of(model);
    start(options);
  }

  void start(const LlamaOptions& options) {
    engine = make_llama_engine(options);
    Signal loaded;
    engine->notify_loaded(loaded.raiser());
    ASSERT_TRUE(loaded.wait());
  }

  void start_ready(const TestModel& model, LlamaOptions options = {}) {
    start(model, std::move(options));
    ASSERT_EQ(engine->status().state, State::ready) << engine->status().reason;
  }

  std::shared_ptr<Generation> generate(Conversation conversation, Limits limits = {}) {
    auto generation = engine->generate(std::move(conversation), limits);
    if (!generation) throw std::runtime_error(generation.error().message);
    return *generation;
  }

  Answer answer(Conversation conversation, Limits limits = {}) {
    auto got = answer_of(*generate(std::move(conversation), limits));
    if (!got) throw std::runtime_error(got.error().error.message);
    return *std::move(got);
  }

  Failure failure(Conversation conversation, Limits limits = {}) {
    auto got = answer_of(*generate(std::move(conversation), limits));
    if (got) throw std::runtime_error("an answer came, not a failure: " + got->text());
    return got.error();
  }

  /// What the engine tells once `condition` holds, or after seconds: it counts after each step,
  /// whose events may be read before that.
  template <class Condition>
  EngineStats stats_once(Condition condition) {
    EngineStats stats = engine->stats();
    for (int i = 0; i < 2000 && !condition(stats); ++i) {
      std::this_thread::sleep_for(2ms);
      stats = engine->stats();
    }
    return stats;
  }

  std::unique_ptr<Engine> engine;
};

TEST_F(LlamaEngineTest, KnowsTheCapitalOfKorea) {
  start_ready(qwen);
  const Answer got = answer(asked("대한민국의 수도는?"));
  EXPECT_THAT(got.text(), HasSubstr("서울"));
  EXPECT_EQ(got.stop_reason, StopReason::end_turn);
  EXPECT_GT(got.usage.input_tokens, 10);
  EXPECT_GT(got.usage.output_tokens, 3);
}

TEST_F(LlamaEngineTest, AnswersFromASmallerCacheToo) {
  start_ready(qwen, {.kv_type = KvType::q8_0});
  EXPECT_THAT(answer(asked("대한민국의 수도는?")).text(), HasSubstr("서울"));
  start_ready(qwen, {.flash_attention = FlashAttention::off});
  EXPECT_THAT(answer(asked("대한민국의 수도는?")).text(), HasSubstr("서울"));
}

TEST_F(LlamaEngineTest, FollowsTheSystemPrompt) {
  start_ready(qwen);
  Conversation conversation = asked("What is your name?");
  conversation.system.push_back({"Your name is Granite. Always say your name."});
  EXPECT_THAT(answer(conversation).text(), HasSubstr("Granite"));
}

TEST_F(LlamaEngineTest, ContinuesALastTurnOfTheAssistant) {
  start_ready(qwen);
  Conversation conversation = asked("Count from one to ten in English words, separated by commas.");
  append_turn(conversation, Role::assistant, "one, two, three,");
  EXPECT_THAT(answer(conversation).text(), testing::StartsWith(" four, five"));
}

TEST_F(LlamaEngineTest, CompletesARawPromptWithoutTemplate) {
  start_ready(qwen);
  Conversation conversation = asked("The capital of France is");
  conversation.raw_completion = true;
  EXPECT_EQ(engine->count_tokens(conversation), 5);
  EXPECT_THAT(answer(conversation).text(), HasSubstr("Paris"));
}

TEST_F(LlamaEngineTest, NamesItselfAndItsModel) {
  start_ready(smollm);
  EXPECT_EQ(engine->kind(), "llama");
  EXPECT_EQ(engine->model(), std::filesystem::path(path_of(smollm)).stem().string());
  start_ready(smollm, {.name = "my-model"});
  EXPECT_EQ(engine->model(), "my-model");
}

TEST_F(LlamaEngineTest, TellsItsEventsInOrder) {
  start_ready(smollm);
  const auto generation = generate(asked("Say hello."));
  std::string kinds;
  while (kinds.empty() || kinds.back() != 'u') {
    const auto event = next_event(*generation);
    if (!event) continue;
    const char kind = "stribpmuf"[event->index()];
    if (kind != 't' || kinds.back() != 't') kinds += kind;
  }
  EXPECT_EQ(kinds, "stmu") << "start, texts, message stop, usage";
}

TEST_F(LlamaEngineTest, ComputesAPromptOnceForAllThatBeginAlike) {
  start_ready(smollm);
  std::string system;
  for (int i = 0; i < 60; ++i) system += "Rule " + std::to_string(i) + " is to be kind. ";
  const auto beginning = [&](std::string question) {
    Conversation conversation = asked(std::move(question));
    conversation.system.push_back({system});
    mark_for_cache(conversation, {});
    return conversation;
  };
  const Usage first = answer(beginning("What is the capital of France?")).usage;
  EXPECT_EQ(first.cache_read_tokens, 0);
  EXPECT_GT(first.cache_write_tokens, 400);
  EXPECT_GT(first.input_tokens, 5);
  const Usage second = answer(beginning("Say hello.")).usage;
  EXPECT_EQ(second.cache_read_tokens, first.cache_write_tokens);
  EXPECT_EQ(second.cache_write_tokens, 0);
  EXPECT_EQ(prompt_tokens(second), engine->count_tokens(beginning("Say hello.")));
  Conversation unmarked = beginning("Say hello.");
  unmarked.caching = false;
  EXPECT_EQ(answer(unmarked).usage.input_tokens, prompt_tokens(second));
}

TEST_F(LlamaEngineTest, ReadsAGrowingChatFromTheCache) {
  start_ready(smollm);
  Conversation chat = asked("Tell me about rivers.");
  chat.caching = true;
  int before = 0;
  for (int turn = 0; turn < 3; ++turn) {
    const Answer got = answer(chat);
    EXPECT_GE(got.usage.cache_read_tokens, before);
    before = prompt_tokens(got.usage) - 1;
    append_turn(chat, Role::assistant, got.text());
    append_turn(chat, Role::user, "Go on.");
  }
}

TEST_F(LlamaEngineTest, AnswersTheSameWithAndWithoutCacheAndGuesses) {
  const char* questions[] = {"Count from 1 to 30.", "Repeat ten times: the quick brown fox.",
                             "List the days of the week, twice."};
  std::vector<std::string> plain;
  start_ready(smollm, {.prefix_cache = false, .speculation = false});
  for (const char* question : questions) plain.push_back(answer(asked(question)).text());
  start_ready(smollm);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < std::size(questions); ++i) {
      EXPECT_EQ(answer(asked(questions[i])).text(), plain[i]) << questions[i];
    }
  }
}

TEST_F(LlamaEngineTest, GivesTheSameTextForTheSameSeed) {
  start_ready(smollm);
  Conversation conversation = asked("Write a story about a fox.");
  conversation.sampling.temperature = 1.2;
  conversation.sampling.seed = 7;
  const std::string first = answer(conversation).text();
  EXPECT_EQ(answer(conversation).text(), first);
  conversation.sampling.seed = 8;
  EXPECT_NE(answer(conversation).text(), first);
  conversation.sampling.seed.reset();
  EXPECT_NE(answer(conversation).text(), answer(conversation).text()) << "no seed: a random one";
}

TEST_F(LlamaEngineTest, CountsThePromptsTokensAsTheAnswerDoes) {
  start_ready(smollm);
  const Conversation conversation = asked("How many tokens am I?");
  const auto counted = engine->count_tokens(conversation);
  ASSERT_TRUE(counted);
  EXPECT_EQ(answer(conversation).usage.input_tokens, *counted);
}

TEST_F(LlamaEngineTest, StopsAtTheMostTokens) {
  start_ready(smollm);
  Conversation conversation = asked("Write a long story.");
  conversation.sampling.tokens_max = 9;
  const Answer got = answer(conversation);
  EXPECT_EQ(got.usage.output_tokens, 9);
  EXPECT_EQ(got.stop_reason, StopReason::max_tokens);
}

TEST_F(LlamaEngineTest, StopsBeforeAStopSequenceThatSpansTokens) {
  // Kept beginnings and guesses are computed by other kernels, which may decide a near tie
  // otherwise.
  start_ready(smollm, {.prefix_cache = false, .speculation = false});
  const std::string whole = answer(asked("Write a long story about a fox.")).text();
  for (std::size_t at = 5; at + 12 < whole.size(); at += 17) {
    Conversation conversation = asked("Write a long story about a fox.");
    conversation.sampling.stop_sequences = {"never said", whole.substr(at, 12)};
    const Answer got = answer(conversation);
    EXPECT_EQ(got.stop_reason, StopReason::stop_sequence);
    EXPECT_EQ(got.stop_sequence, whole.substr(at, 12));
    EXPECT_EQ(got.text(), whole.substr(0, whole.find(whole.substr(at, 12))));
  }
}

TEST_F(LlamaEngineTest, NeverSplitsACharacter) {
  start_ready(qwen);
  Conversation conversation = asked("이모지 열 개와 한국어 인사말을 써 줘.");
  conversation.sampling.temperature = 1.5;
  conversation.sampling.top_k = 0;
  conversation.sampling.top_p = 1;
  conversation.sampling.seed = 3;
  const auto generation = generate(conversation);
  AnswerBuilder builder;
  while (!builder.complete()) {
    auto event = next_event(*generation);
    if (!event) continue;
    if (const auto* delta = std::get_if<TextDelta>(&*event)) {
      EXPECT_EQ(mended_utf8(delta->text), delta->text);
      EXPECT_NE(delta->text, "");
    }
    builder.add(std::move(*event));
  }
  EXPECT_NE(builder.take()->text(), "");
}

// Kernels for many rows add numbers in another order than those for one, so that equal logits can
// come out in another order: texts may part where two tokens are about equally likely. What must
// hold: with the same neighbours the same texts, and nothing leaks from one answer into another.
TEST_F(LlamaEngineTest, AnswersEightRequestsInOneBatchEachItsOwn) {
  start_ready(qwen);
  const std::pair<std::string, std::string> questions[] = {
      {"What is 2 + 3? Answer with the number only.", "5"},
      {"대한민국의 수도는?", "서울"},
      {"What is the capital of France? One word.", "Paris"},
      {"What is the capital of Japan? One word.", "Tokyo"},
      {"Which planet do we live on? One word.", "Earth"},
      {"Translate to English: Bonjour", "Hello"},
      {"What is the chemical formula of water? Only the formula.", "H"},
      {"What colour is the sky on a clear day? One word.", "lue"},
  };
  for (int round = 0; round < 2; ++round) {
    std::vector<std::shared_ptr<Generation>> generations;
    for (const auto& [question, expected] : questions)
      generations.push_back(generate(asked(question)));
    for (std::size_t i = 0; i < generations.size(); ++i) {
      const auto got = answer_of(*generations[i]);
      ASSERT_TRUE(got);
      EXPECT_THAT(got->text(), HasSubstr(questions[i].second)) << questions[i].first;
    }
  }
}

TEST_F(LlamaEngineTest, AnswersMoreRequestsThanItComputesAtOnceAndThanItsCacheHolds) {
  start_ready(smollm, {.context_tokens = 256, .kv_cells = 512, .parallel = 4});
  std::vector<std::shared_ptr<Generation>> generations;
  for (int i = 0; i < 8; ++i) {
    Conversation conversation =
        asked("Write a long story about the number " + std::to_string(i) + ".");
    conversation.sampling.tokens_max = 180;
    generations.push_back(generate(conversation));
  }
  for (const auto& generation : generations) {
    const auto got = answer_of(*generation);
    ASSERT_TRUE(got) << got.error().error.message;
    EXPECT_GT(got->text().size(), 20u);
  }
}

TEST_F(LlamaEngineTest, TellsWhatItDoesAndHasDone) {
  start_ready(smollm, {.context_tokens = 256, .parallel = 1});
  Conversation conversation = asked("Write a long story about a fisherman.");
  conversation.sampling.tokens_max = 100;
  const auto running = generate(conversation), waiting = generate(conversation);
  while (next_event(*running)->index() == 0) {  // MessageStart
  }
  const EngineStats during =
      stats_once([](const EngineStats& stats) { return stats.running == 1; });
  EXPECT_EQ(during.running, 1);
  EXPECT_EQ(during.queue_length, 1);
  EXPECT_EQ(during.kv_cells, 256);
  EXPECT_GT(during.kv_cells_used, 0);
  EXPECT_LE(during.kv_cells_used + during.kv_cells_kept, 256);
  const auto first = answer_of(*running), second = answer_of(*waiting);
  ASSERT_TRUE(first && second);
  const EngineStats after =
      stats_once([](const EngineStats& stats) { return stats.running + stats.queue_length == 0; });
  EXPECT_EQ(after.running, 0);
  EXPECT_EQ(after.queue_length, 0);
  EXPECT_EQ(after.kv_cells_used, 0);
  EXPECT_EQ(after.generated_tokens, 200u);
  EXPECT_EQ(after.prompt_tokens, 2u * static_cast<unsigned>(second->usage.input_tokens));
  EXPECT_EQ(after.prefix_hit_tokens, static_cast<unsigned>(second->usage.input_tokens) - 1);
  EXPECT_GE(after.steps.count(), 3u);
  EXPECT_GT(after.steps.sum, 0);
}

TEST_F(LlamaEngineTest, RefusesAPromptThatIsTooLongWithItsMeasure) {
  start_ready(smollm, {.context_tokens = 512});
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "word ";
  const Conversation conversation = asked(text);
  const Failure got = failure(conversation);
  EXPECT_EQ(got.error.code, ErrorCode::validation);
  ASSERT_TRUE(got.input_too_long);
  EXPECT_EQ(got.input_too_long->context_tokens, 511);
  EXPECT_NEAR(got.input_too_long->input_tokens, 1030, 30);
}

TEST_F(LlamaEngineTest, KeepsToTheContextThatTheModelIdPromises) {
  start_ready(smollm);
  const Conversation conversation = asked("Write a long story.");
  const int tokens = *engine->count_tokens(conversation);
  EXPECT_TRUE(failure(conversation, {.context_tokens = tokens}).input_too_long);
  const Answer got = answer(conversation, {.context_tokens = tokens + 6});
  EXPECT_EQ(got.usage.output_tokens, 6);
  EXPECT_EQ(got.stop_reason, StopReason::full_context);
  for (const int promised : {0, -1, std::numeric_limits<int>::min()}) {
    EXPECT_TRUE(failure(conversation, {.context_tokens = promised}).input_too_long);
  }
}

TEST_F(LlamaEngineTest, RefusesAHugePromptQuickly) {
  start_ready(smollm);
  const std::string huge[] = {std::string(25'000'000, 'a'), std::string(25'000'000, ' '),
                              std::string(25'000'000, '\0'), std::string(25'000'000, '\xFF')};
  for (const std::string& text : huge) {
    const auto started = std::chrono::steady_clock::now();
    const Failure got = failure(asked(text));
    ASSERT_TRUE(got.input_too_long);
    EXPECT_GT(got.input_too_long->input_tokens, got.input_too_long->context_tokens);
    EXPECT_LT(std::chrono::steady_clock::now() - started, 20s)
        << "generous: sanitizers, busy machines";
  }
  Conversation turns = asked("x");
  for (int i = 0; i < 100'000; ++i) {
    turns.turns.push_back({i % 2 ? Role::user : Role::assistant, {TextBlock{"x"}}});
  }
  EXPECT_TRUE(failure(turns).input_too_long);
}

TEST_F(LlamaEngineTest, SurvivesWhateverAClientSends) {
  start_ready(smollm, {.context_tokens = 1024});
  const double numbers[] = {0,
                            -1,
                            1e-300,
                            1e300,
                            std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity()};
  const int counts[] = {0, -1, 1, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()};
  const std::string texts[] = {
      "",     " ",          std::string(1, '\0'), "\xFF\xFE\x80",   "\xED\xA0\x80",
      "\n\n", "<|im_end|>", "<|endoftext|>",      "{{ messages }}", "\xF0\x9F\x98\x80"};
  for (const std::string& text : texts) {
    for (std::size_t i = 0; i < std::size(numbers); ++i) {
      Conversation conversation = asked(text);
      conversation.raw_completion = i % 2 == 1;
      conversation.system.push_back({text});
      Sampling& sampling = conversation.sampling;
      sampling.temperature = sampling.top_p = numbers[i];
      sampling.top_k = counts[i % std::size(counts)];
      sampling.seed = 0xFFFFFFFF;
      sampling.stop_sequences = {text, "", "\xFF"};
      sampling.tokens_max = i == 0 ? -1 : 3;
      const auto generation = engine->generate(conversation, {});
      if (generation) answer_of(**generation);
    }
  }
  EXPECT_NE(answer(asked("Say hello.")).text(), "") << "and it goes on answering";
}

TEST_F(LlamaEngineTest, RefusesAnEmptyRawPrompt) {
  start_ready(smollm);
  Conversation conversation = asked("");
  conversation.raw_completion = true;
  const auto generation = engine->generate(conversation, {});
  if (!generation) {
    EXPECT_EQ(generation.error().code, ErrorCode::validation);
  } else {
    EXPECT_TRUE(answer_of(**generation))
        << "a vocabulary with a first token has something to go on";
  }
}

TEST_F(LlamaEngineTest, TakesThousandsOfStopSequencesButNotMegabytesOfThem) {
  start_ready(smollm);
  Conversation conversation = asked("Write a long story about a fox.");
  for (int i = 0; i < 8191; ++i) {
    conversation.sampling.stop_sequences.push_back("stop sequence " + std::to_string(i));
  }
  EXPECT_NE(answer(conversation).text(), "");
  conversation.sampling.stop_sequences.push_back(std::string(StopMatcher::bytes_max, 'x'));
  const auto refused = engine->generate(conversation, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::validation);
}

Tool weather_tool() {
  return {
      "get_weather", "The current weather of a city.",
      R"({"type":"object","properties":{"city":{"type":"string","description":"The city's name"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city","unit"]})"};
}

Tool alarm_tool() {
  return {
      "set_alarm", "Sets an alarm clock.",
      R"({"type":"object","properties":{"hour":{"type":"integer","minimum":0,"maximum":23},"minute":{"type":"integer","minimum":0,"maximum":59}},"required":["hour","minute"]})"};
}

Conversation asked_with_tools(std::string text, ToolChoice choice = ToolChoice::automatic) {
  Conversation conversation = asked(std::move(text));
  conversation.tools.offered = {weather_tool(), alarm_tool()};
  conversation.tools.choice = choice;
  conversation.sampling.tokens_max = 200;
  return conversation;
}

std::vector<ToolUseBlock> calls_of(const Answer& answer) {
  std::vector<ToolUseBlock> calls;
  for (const AnswerBlock& block : answer.content) {
    if (const auto* call = std::get_if<ToolUseBlock>(&block)) calls.push_back(*call);
  }
  return calls;
}

TEST_F(LlamaEngineTest, CallsAToolWhenItHelps) {
  start_ready(qwen);
  const Answer got = answer(asked_with_tools("What is the weather in Paris in celsius?"));
  const auto calls = calls_of(got);
  ASSERT_EQ(calls.size(), 1u) << got.text();
  EXPECT_EQ(calls[0].name, "get_weather");
  EXPECT_THAT(calls[0].input, HasSubstr("Paris"));
  EXPECT_EQ(got.stop_reason, StopReason::tool_use);
}

TEST_F(LlamaEngineTest, MustCallWhatItIsToldToWhateverItIsAsked) {
  start_ready(qwen);
  for (const char* question : {"Tell me a joke.", "대한민국의 수도는?", "Wake me at 7:30."}) {
    Conversation conversation = asked_with_tools(question, ToolChoice::named);
    conversation.tools.named = "set_alarm";
    const Answer got = answer(conversation);
    const auto calls = calls_of(got);
    ASSERT_EQ(calls.size(), 1u) << question << got.text();
    EXPECT_EQ(calls[0].name, "set_alarm");
    EXPECT_THAT(calls[0].input,
                testing::MatchesRegex("\\{\\s*\"hour\": *[0-9]+, *\"minute\": *[0-9]+\\s*\\}"));
    EXPECT_EQ(got.stop_reason, StopReason::tool_use);
    EXPECT_EQ(got.text(), "");
  }
}

TEST_F(LlamaEngineTest, MustCallSomeToolEvenWithAModelThatKnowsNone) {
  start_ready(smollm);
  for (int seed = 0; seed < 6; ++seed) {
    Conversation conversation = asked_with_tools("Hello there.", ToolChoice::any);
    conversation.sampling.temperature = seed % 2 ? 1.5 : 0;
    conversation.sampling.seed = seed;
    conversation.tools.parallel = false;
    const Answer got = answer(conversation);
    ASSERT_EQ(calls_of(got).size(), 1u) << got.text();
    EXPECT_EQ(got.stop_reason,
              got.usage.output_tokens == 200 ? StopReason::max_tokens : StopReason::tool_use);
  }
}

TEST_F(LlamaEngineTest, EndsACallInTheMiddleAtTheMostTokens) {
  start_ready(qwen);
  Conversation conversation = asked_with_tools("The weather in Paris?", ToolChoice::any);
  conversation.sampling.tokens_max = 6;
  const Answer got = answer(conversation);
  EXPECT_EQ(got.stop_reason, StopReason::max_tokens);
  EXPECT_EQ(got.text(), "");
}

// Whether it then answers or calls again is the model's: this small one likes to call again.
TEST_F(LlamaEngineTest, GoesOnFromAToolsResult) {
  start_ready(qwen);
  Conversation conversation = asked_with_tools("What is the weather in Paris in celsius?");
  const int before = *engine->count_tokens(conversation);
  const std::string input = R"({"city":"Paris","unit":"celsius"})";
  conversation.turns.push_back({Role::assistant, {ToolUseBlock{"t1", "get_weather", input}}});
  conversation.turns.push_back(
      {Role::user, {ToolResultBlock{"t1", {TextBlock{R"({"temperature": 23})"}}}}});
  const Answer got = answer(conversation);
  EXPECT_FALSE(got.content.empty());
  EXPECT_GT(got.usage.input_tokens, before + 20);
  EXPECT_EQ(*engine->count_tokens(conversation), got.usage.input_tokens);
}

TEST_F(LlamaEngineTest, LeavesToolsOutWhenNoneMayBeCalled) {
  start_ready(qwen);
  const Conversation without = asked("What is the weather in Paris?");
  EXPECT_EQ(
      *engine->count_tokens(asked_with_tools("What is the weather in Paris?", ToolChoice::none)),
      *engine->count_tokens(without));
}

TEST_F(LlamaEngineTest, AnswersInTheFormThatASchemaAsksFor) {
  start_ready(qwen);
  Conversation conversation =
      asked("Which city is the capital of France, and how many people live there?");
  conversation.format = ResponseFormat{
      R"({"type":"object","properties":{"capital":{"type":"string"},"people":{"type":"integer"}},"required":["capital","people"],"additionalProperties":false})"};
  conversation.sampling.tokens_max = 200;
  const Answer got = answer(conversation);
  EXPECT_THAT(got.text(), testing::MatchesRegex(
                              "\\{\\s*\"capital\": *\"Paris\",\\s*\"people\": *[0-9]+\\s*\\}"));
  EXPECT_EQ(got.stop_reason, StopReason::end_turn);
  EXPECT_EQ(*engine->count_tokens(conversation), got.usage.input_tokens);
}

TEST_F(LlamaEngineTest, RefusesASchemaThatItCannotKeepByItsKeyword) {
  start_ready(smollm);
  Conversation conversation = asked_with_tools("Hi", ToolChoice::any);
  conversation.tools.offered[0].input_schema = R"({"type":"object","properties":{"a":{"not":{}}}})";
  const auto refused = engine->generate(conversation, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::validation);
  EXPECT_EQ(refused.error().message,
            "The input schema of the tool 'get_weather' cannot be enforced: the keyword 'not' is "
            "not supported.");
  conversation.tools.choice = ToolChoice::automatic;
  EXPECT_TRUE(engine->generate(conversation, {})) << "nothing is enforced";
  conversation.format = ResponseFormat{R"({"$ref":"https://example.com/x"})"};
  EXPECT_FALSE(engine->generate(conversation, {}));
}

TEST_F(LlamaEngineTest, TellsHowLikelyTokensWere) {
  start_ready(smollm);
  Conversation conversation = asked("The capital of France is");
  conversation.raw_completion = true;
  conversation.sampling.tokens_max = 5;
  conversation.sampling.likelihoods = Likelihoods::all;
  const Answer got = answer(conversation);
  std::string text;
  for (const TokenLikelihood& token : got.likelihoods) {
    EXPECT_LT(token.likelihood, 0);
    EXPECT_GT(token.likelihood, -3) << "greedy: the likeliest";
    text += token.token;
  }
  EXPECT_EQ(text, got.text());
  EXPECT_EQ(got.likelihoods.size(), 5u);
  EXPECT_EQ(static_cast<int>(got.prompt_likelihoods.size()), got.usage.input_tokens - 1);

  // The same text as a prompt is as likely as it was when it was generated.
  append_turn(conversation, Role::user, got.text());
  const Answer again = answer(conversation);
  const std::size_t all = again.prompt_likelihoods.size();
  ASSERT_GE(all, 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(again.prompt_likelihoods[all - 5 + i].likelihood, got.likelihoods[i].likelihood,
                0.1);
  }
}

TEST_F(LlamaEngineTest, CountsTokensOfTheAnswerAsItGoes) {
  start_ready(smollm);
  const auto generation = generate(asked("Say hello."));
  int last = 0;
  for (;;) {
    const auto event = next_event(*generation);
    if (!event) continue;
    if (const auto* start = std::get_if<MessageStart>(&*event)) {
      EXPECT_GT(start->usage.input_tokens, 5);
    }
    if (const auto* delta = std::get_if<TextDelta>(&*event)) {
      EXPECT_GT(delta->output_tokens, last);
      last = delta->output_tokens;
    }
    if (const auto* usage = std::get_if<Usage>(&*event)) {
      EXPECT_GE(usage->output_tokens, last);
      return;
    }
  }
}

TEST_F(LlamaEngineTest, RepeatsItselfLessWhenThatIsPenalised) {
  start_ready(smollm);
  Conversation conversation = asked("ha ha ha ha ha ha ha ha ha ha ha ha");
  conversation.raw_completion = true;
  conversation.sampling.tokens_max = 30;
  const std::string repeated = answer(conversation).text();
  conversation.sampling.frequency_penalty = 5;
  const std::string varied = answer(conversation).text();
  const auto count = [](const std::string& text) {
    std::size_t times = 0;
    for (std::size_t at = 0; (at = text.find("ha", at)) != text.npos; ++at) ++times;
    return times;
  };
  EXPECT_GT(count(repeated), 2 * count(varied)) << varied;
}

/// An answer of about half a minute, if nobody ends it.
Conversation endless() {
  Conversation conversation = asked("Count: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
  conversation.raw_completion = true;
  conversation.sampling.tokens_max = 4000;
  return conversation;
}

void wait_for_text(Generation& generation) {
  for (;;) {
    const auto event = next_event(generation);
    if (event && std::holds_alternative<TextDelta>(*event)) return;
    if (event && std::holds_alternative<Failure>(*event)) {
      throw std::runtime_error(std::get<Failure>(*event).error.message);
    }
  }
}

TEST_F(LlamaEngineTest, FreesAGivenUpAnswerAtOnce) {
  start_ready(smollm, {.parallel = 1});
  const auto given_up = generate(endless());
  wait_for_text(*given_up);
  const auto next = generate(asked("Say hello."));
  given_up->cancel();
  EXPECT_TRUE(answer_of(*next)) << "its sequence is free for the next";
}

TEST_F(LlamaEngineTest, GoesOnWhileAReaderIsSlow) {
  start_ready(smollm, {.parallel = 2});
  const auto unread = generate(endless());
  for (int i = 0; i < 3; ++i) EXPECT_NE(answer(asked("Say hello.")).text(), "");
  std::this_thread::sleep_for(300ms);
  int events = 0;
  while (unread->try_next()) ++events;
  EXPECT_LE(events, static_cast<int>(Generation::events_max));
  wait_for_text(*unread);  // it goes on once it is read
  unread->cancel();
}

TEST_F(LlamaEngineTest, RefusesMoreRequestsThanItsQueueHolds) {
  start_ready(smollm, {.parallel = 1, .waiting_max = 2});
  std::vector<std::shared_ptr<Generation>> held;
  for (int i = 0; i < 3; ++i) held.push_back(generate(endless()));
  const auto refused = engine->generate(asked("Say hello."), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::throttling);
  EXPECT_EQ(refused.error().message, "Too many requests, please wait before trying again.");
  for (const auto& generation : held) generation->cancel();
  for (int i = 0; i < 1000; ++i) {
    if (engine->generate(asked("Say hello."), {})) return;
    std::this_thread::sleep_for(10ms);
  }
  FAIL() << "the places of answers that were given up stay taken";
}

TEST_F(LlamaEngineTest, EndsAnAnswerAtItsDeadline) {
  start_ready(smollm, {.parallel = 1});
  const auto now = std::chrono::steady_clock::now();
  const auto late = generate(endless(), {.deadline = now + 300ms});
  const auto waiting = generate(endless(), {.deadline = now + 100ms});
  const auto waited = answer_of(*waiting);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().error.code, ErrorCode::model_timeout);
  const auto got = answer_of(*late);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().error.code, ErrorCode::model_timeout);
}

TEST_F(LlamaEngineTest, EndsAtItsDeadlineAnAnswerThatNobodyReads) {
  start_ready(smollm, {.parallel = 1});
  const auto unread = generate(endless(), {.deadline = std::chrono::steady_clock::now() + 1500ms});
  const auto next = answer_of(*generate(asked("Say hello.")));
  EXPECT_TRUE(next) << "it gets the sequence of the one whose time is up";
}

TEST_F(LlamaEngineTest, UsesNoCpuWhileItHasNothingToDo) {
  start_ready(smollm);
  answer(asked("Say hello."));
  std::this_thread::sleep_for(100ms);
  const auto used = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  const auto before = used();
  std::this_thread::sleep_for(1s);
  EXPECT_LT(used() - before, 50ms);
}

TEST_F(LlamaEngineTest, EndsRunningAnswersWhenItIsDestroyed) {
  start_ready(smollm, {.parallel = 2});
  std::vector<std::shared_ptr<Generation>> generations;
  for (int i = 0; i < 4; ++i) generations.push_back(generate(endless()));
  wait_for_text(*generations[0]);
  generations[3]->cancel();
  engine.reset();
  for (int i = 0; i < 3; ++i) {
    const auto got = answer_of(*generations[i]);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().error.code, ErrorCode::service_unavailable);
  }
  generations[0]->cancel();  // harmless: nobody is left to be told
}

TEST_F(LlamaEngineTest, IsThereAtOnceAndLoadsInTheBackground) {
  engine = make_llama_engine({.path = path_of(qwen)});
  EXPECT_EQ(engine->status().state, State::loading);
  const auto refused = engine->generate(asked("Hi"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::model_not_ready);
  EXPECT_EQ(engine->count_tokens(asked("Hi")).error().code, ErrorCode::model_not_ready);
  Signal loaded;
  engine->notify_loaded(loaded.raiser());
  ASSERT_TRUE(loaded.wait());
  EXPECT_EQ(engine->status().state, State::ready);
  Signal again;
  engine->notify_loaded(again.raiser());
  EXPECT_TRUE(again.wait(0ms)) << "loaded already: at once";
}

TEST_F(LlamaEngineTest, CanBeDestroyedWhileItLoads) {
  for (int i = 0; i < 20; ++i) {
    engine = make_llama_engine({.path = path_of(qwen)});
    engine->notify_loaded([] {});
    std::this_thread::sleep_for(i * 15ms);
    const auto started = std::chrono::steady_clock::now();
    engine.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
  }
}

class BadModelFile : public LlamaEngineTest {
 protected:
  void SetUp() override {
    path_ =
        (std::filesystem::path(testing::TempDir()) /
         (std::string("craton-") + testing::UnitTest::GetInstance()->current_test_info()->name()))
            .string();
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  void expect_failed(const std::string& reason) {
    start(LlamaOptions{.path = path_});
    EXPECT_EQ(engine->status().state, State::failed);
    EXPECT_THAT(engine->status().reason, HasSubstr(reason));
    EXPECT_THAT(engine->status().reason, HasSubstr(path_));
    const auto refused = engine->generate(asked("Hi"), {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::model_error);
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr(path_)))
        << "callers learn no paths";
  }

  void copy_of(const TestModel& model, std::uintmax_t bytes) {
    std::ifstream whole(path_of(model), std::ios::binary);
    std::string head(bytes, '\0');
    whole.read(head.data(), static_cast<std::streamsize>(head.size()));
    std::ofstream(path_, std::ios::binary) << head;
  }

  std::string path_;
};

TEST_F(BadModelFile, IsMissing) { expect_failed("does not exist"); }

TEST_F(BadModelFile, IsAFolder) {
  std::filesystem::create_directory(path_);
  expect_failed("is a folder");
}

TEST_F(BadModelFile, IsText) {
  std::ofstream(path_) << "no model\n" << std::string(1000, 'x');
  expect_failed("not a GGUF file");
}

TEST_F(BadModelFile, IsCutShortAnywhere) {
  const auto whole = std::filesystem::file_size(path_of(smollm));
  for (const std::uintmax_t bytes :
       {std::uintmax_t{4}, std::uintmax_t{24}, std::uintmax_t{1000}, std::uintmax_t{300'000},
        std::uintmax_t{4'000'000}, whole - 1}) {
    SCOPED_TRACE(bytes);
    copy_of(smollm, bytes);
    expect_failed("etch it again");
  }
}

TEST_F(BadModelFile, HasAHeaderOfNonsense) {
  std::ofstream(path_, std::ios::binary) << "GGUF" << std::string(4096, '\xFF');
  expect_failed("cannot be loaded");
}

}  // namespace
}  // namespace craton::engines::llama
