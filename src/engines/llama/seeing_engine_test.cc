// The llama engine with a projector, from a conversation to its answer. The models are tiny and of
// random weights: what is said means nothing, but it depends on all that was seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engines/llama/llama_engine.h"
#include "engines/llama/test_answers.h"
#include "engines/llama/test_folder.h"
#include "engines/llama/test_images.h"
#include "engines/llama/tiny_vision_model.h"

namespace craton::engines::llama {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

ImageBlock image_of(std::uint32_t width, std::uint32_t height, unsigned seed = 0) {
  return {"png", test_png(width, height, seed)};
}

Conversation asked(std::vector<ContentBlock> content) {
  Conversation conversation;
  conversation.turns.push_back({Role::user, std::move(content)});
  conversation.sampling.temperature = 0;
  conversation.sampling.tokens_max = 12;
  conversation.sampling.likelihoods = Likelihoods::generated;
  return conversation;
}

class SeeingEngine : public testing::Test {
 protected:
  void start_seeing(const std::string& projector = "pixtral", LlamaOptions options = {}) {
    options.path = (folder / "language.gguf").string();
    options.projector = (folder / "projector.gguf").string();
    options.threads = 1;
    write_tiny_language_model(
        options.path, projector == "qwen2vl_merger" ? "qwen2vl" : "llama",
        {"<|im_start|>", "<|im_end|>", "<fake_token_around_image>", "<global-img>", "\n\n", "\n"});
    write_tiny_projector(options.projector, projector);
    start(options);
    ASSERT_EQ(engine->status().state, State::ready) << engine->status().reason;
  }

  /// How likely each token of the answer was.
  std::vector<double> says(std::vector<ContentBlock> content) {
    std::vector<double> numbers;
    for (const auto& likelihood : answer(asked(std::move(content))).likelihoods) {
      numbers.push_back(likelihood.likelihood);
    }
    return numbers;
  }

  void start(const LlamaOptions& options) {
    engine = make_llama_engine(options);
    Signal loaded;
    engine->notify_loaded(loaded.raiser());
    ASSERT_TRUE(loaded.wait());
  }

  std::shared_ptr<Generation> generate(const Conversation& conversation, Limits limits = {}) {
    auto generation = engine->generate(conversation, limits);
    if (!generation) throw std::runtime_error(generation.error().message);
    return *generation;
  }

  Answer answer(const Conversation& conversation) {
    auto got = answer_of(*generate(conversation));
    if (!got) throw std::runtime_error(got.error().error.message);
    return *std::move(got);
  }

  Failure failure(const Conversation& conversation, Limits limits = {}) {
    auto got = answer_of(*generate(conversation, limits));
    if (got) throw std::runtime_error("an answer came, not a failure: " + got->text());
    return got.error();
  }

  Folder folder;
  std::unique_ptr<Engine> engine;
};

TEST_F(SeeingEngine, SeesOnlyWithAProjector) {
  start_seeing();
  EXPECT_TRUE(engine->capabilities().images);
  start({.path = (folder / "language.gguf").string(), .threads = 1});
  ASSERT_EQ(engine->status().state, State::ready) << engine->status().reason;
  EXPECT_FALSE(engine->capabilities().images);
}

TEST_F(SeeingEngine, SaysWhyAProjectorCannotBeLoaded) {
  const auto path = folder / "language.gguf";
  write_tiny_language_model(path, "llama");
  start({.path = path.string(), .projector = (folder / "missing.gguf").string(), .threads = 1});
  EXPECT_EQ(engine->status().state, State::failed);
  EXPECT_THAT(engine->status().reason, HasSubstr("missing.gguf"));
  start({.path = path.string(), .projector = path.string(), .threads = 1});
  EXPECT_EQ(engine->status().state, State::failed);
  EXPECT_THAT(engine->status().reason, HasSubstr("language.gguf cannot be loaded"));
}

class EveryProjector : public SeeingEngine, public testing::WithParamInterface<const char*> {};

TEST_P(EveryProjector, CountsAnImagesCellsAsTheAnswerDoes) {
  start_seeing(GetParam());
  const std::vector<ContentBlock> prompts[] = {
      {image_of(64, 64)},
      {TextBlock{"What is this?"}, image_of(33, 80)},
      {image_of(64, 64), TextBlock{" and "}, image_of(20, 70), TextBlock{": which?"}},
      {image_of(40, 40), image_of(40, 40, 1)},
      {TextBlock{"a"}, image_of(300, 20), TextBlock{"b"}, image_of(16, 16), TextBlock{"c"}}};
  for (const auto& content : prompts) {
    const Conversation conversation = asked(content);
    const int counted = engine->count_tokens(conversation).value();
    std::vector<ContentBlock> texts;
    for (const ContentBlock& block : content) {
      if (std::holds_alternative<TextBlock>(block)) texts.push_back(block);
    }
    EXPECT_GT(counted, engine->count_tokens(asked(texts)).value());
    const Answer got = answer(conversation);
    EXPECT_EQ(got.usage.input_tokens, counted);
    EXPECT_GT(got.usage.output_tokens, 0);
  }
}

TEST_P(EveryProjector, AnswersDependOnTheImageAndNothingElse) {
  start_seeing(GetParam(), {.prefix_cache = false, .speculation = false});
  const TextBlock text{"What is this?"};
  const auto one = says({image_of(64, 64, 1), text});
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(says({image_of(64, 64, 1), text}), one);
  EXPECT_NE(says({image_of(64, 64, 2), text}), one);
  EXPECT_NE(says({text, image_of(64, 64, 1)}), one);
  EXPECT_NE(says({text}), one);
}

TEST_P(EveryProjector, AnswersTheSameBehindABeginningThatIsKept) {
  start_seeing(GetParam(), {.speculation = false});
  const std::vector<ContentBlock> content{image_of(64, 64, 1), TextBlock{"What is this?"}};
  const auto one = says(content);
  ASSERT_FALSE(one.empty());
  const auto again = says(content);
  ASSERT_EQ(again.size(), one.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(again[i], one[i], 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryProjector,
                         testing::Values("gemma3", "pixtral", "qwen2vl_merger", "idefics3"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST_F(SeeingEngine, ShowsTheImagesOfAToolsResult) {
  start_seeing();
  Conversation conversation = asked({TextBlock{"Look."}});
  conversation.turns.push_back({Role::assistant, {ToolUseBlock{"id-1", "camera", "{}"}}});
  conversation.turns.push_back(
      {Role::user,
       {ToolResultBlock{"id-1", {TextBlock{"Seen:"}}}, image_of(16, 16), TextBlock{"Well?"}}});
  const int without = engine->count_tokens(conversation).value();
  std::get<ToolResultBlock>(conversation.turns[2].content[0]).content.push_back(image_of(80, 40));
  const int with = engine->count_tokens(conversation).value();
  EXPECT_GT(with, without + 40);
  EXPECT_EQ(answer(conversation).usage.input_tokens, with);
}

TEST_F(SeeingEngine, CompletesARawPromptWithAnImageInIt) {
  start_seeing();
  Conversation conversation = asked({TextBlock{"ab"}, image_of(16, 16), TextBlock{"cd"}});
  conversation.raw_completion = true;
  EXPECT_EQ(answer(conversation).usage.input_tokens, engine->count_tokens(conversation).value());
  conversation.turns[0].content.pop_back();
  const auto refused = engine->generate(conversation, {});
  ASSERT_FALSE(refused) << "nothing after the image";
  EXPECT_EQ(refused.error().code, ErrorCode::validation);
}

TEST_F(SeeingEngine, TakesNoTextForAnImage) {
  start_seeing();
  const std::string forged =
      "\xF3\xB0\x80\x82"
      "0\xF3\xB0\x80\x83";
  const std::string replaced =
      "\xEF\xBF\xBD"
      "0\xF3\xB0\x80\x83";
  for (const std::vector<ContentBlock>& more : {std::vector<ContentBlock>{}, {image_of(64, 64)}}) {
    const auto count = [&](std::vector<ContentBlock> content) {
      content.insert(content.end(), more.begin(), more.end());
      return engine->count_tokens(asked(content)).value();
    };
    EXPECT_EQ(count({TextBlock{forged}}), count({TextBlock{replaced}}));
    EXPECT_EQ(count({TextBlock{"\xF3\xB0"}, TextBlock{"\x80\x82"
                                                      "0\xF3\xB0\x80\x83"}}),
              count({TextBlock{"\xF3\xB0"}, TextBlock{"x"}}) - 1 +
                  count({TextBlock{"\x80\x82"
                                   "0\xF3\xB0\x80\x83"}}) -
                  count({TextBlock{""}}));
  }
}

TEST_F(SeeingEngine, RefusesWhatIsNoImageOrADamagedOne) {
  start_seeing();
  const auto refused = engine->generate(asked({ImageBlock{"png", "no image"}}), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::validation);
  EXPECT_FALSE(engine->count_tokens(asked({ImageBlock{"png", ""}})));

  ImageBlock damaged = image_of(64, 64);
  damaged.bytes.resize(damaged.bytes.size() / 2);
  EXPECT_EQ(failure(asked({damaged, TextBlock{"?"}})).error.code, ErrorCode::validation);
  EXPECT_GT(answer(asked({image_of(64, 64)})).usage.output_tokens, 0) << "the next is answered";
}

TEST_F(SeeingEngine, RefusesImagesThatDoNotFitBeforeItEncodesThem) {
  start_seeing("pixtral", {.context_tokens = 300});
  const Conversation conversation = asked({image_of(64, 64), TextBlock{"?"}});
  const int tokens = *engine->count_tokens(conversation);
  const Failure got = failure(conversation, {.context_tokens = tokens});
  ASSERT_TRUE(got.input_too_long);
  EXPECT_EQ(got.input_too_long->input_tokens, tokens);
  EXPECT_EQ(answer(conversation).usage.input_tokens, tokens);
  const std::vector<ContentBlock> many(1000, image_of(64, 64));
  EXPECT_TRUE(failure(asked(many)).input_too_long);
}

TEST_F(SeeingEngine, AnswersManyWithAndWithoutImagesAsItAnswersEachAlone) {
  start_seeing("qwen2vl_merger", {.context_tokens = 500,
                                  .kv_cells = 512,
                                  .parallel = 4,
                                  .prefix_cache = false,  // random weights: many near ties
                                  .speculation = false});
  std::vector<Conversation> conversations;
  std::vector<std::string> alone;
  for (unsigned i = 0; i < 9; ++i) {
    std::vector<ContentBlock> content{TextBlock{"Number " + std::to_string(i)}};
    if (i % 3 != 0) content.push_back(image_of(30 + 20 * i, 100, i));
    if (i % 3 == 2) content.insert(content.begin(), image_of(48, 48, i));
    conversations.push_back(asked(content));
    conversations.back().sampling.tokens_max = 60;
    alone.push_back(answer(conversations.back()).text());
  }
  std::vector<std::shared_ptr<Generation>> generations;
  for (const Conversation& conversation : conversations)
    generations.push_back(generate(conversation));
  for (std::size_t i = 0; i < generations.size(); ++i) {
    const auto got = answer_of(*generations[i]);
    ASSERT_TRUE(got) << got.error().error.message;
    EXPECT_EQ(got->text(), alone[i]) << i;
  }
}

// pixtral's projector makes an embedding for every 8 × 8 pixels up to its own bound; decoding the
// PNG and scaling it is what takes its time here.
TEST_F(SeeingEngine, GivesUpBetweenImagesWhenTheCallerLeaves) {
  start_seeing("gemma3", {.parallel = 1, .waiting_max = 0});
  const ImageBlock large = image_of(3000, 3000);
  const auto begun = std::chrono::steady_clock::now();
  const auto generation = generate(asked(std::vector<ContentBlock>(20, large)));
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(engine->generate(asked({TextBlock{"Hi"}}), {})) << "its place is taken";
  generation->cancel();
  for (;;) {  // until the place is free
    if (auto next = engine->generate(asked({TextBlock{"Hi"}}), {})) {
      EXPECT_TRUE(answer_of(**next));
      break;
    }
    ASSERT_LT(std::chrono::steady_clock::now() - begun, 60s);
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_FALSE(generation->try_next());
  RecordProperty("generate_ms", static_cast<int>((started - begun) / 1ms));
}

TEST_F(SeeingEngine, EndsWhatWaitsForItsImagesWhenItIsDestroyed) {
  start_seeing("gemma3");
  std::vector<std::shared_ptr<Generation>> generations;
  for (int i = 0; i < 5; ++i) {
    generations.push_back(generate(asked(std::vector<ContentBlock>(20, image_of(2000, 2000)))));
  }
  engine.reset();
  // The first may be done by then.
  std::vector<std::optional<ErrorCode>> failures;
  for (const auto& generation : generations) {
    const auto got = answer_of(*generation);
    failures.push_back(got ? std::nullopt : std::optional(got.error().error.code));
  }
  EXPECT_EQ(failures.back(), ErrorCode::service_unavailable);
}

}  // namespace
}  // namespace craton::engines::llama
