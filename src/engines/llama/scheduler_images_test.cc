// Prompts with images, in the scheduler.
#include <gtest/gtest.h>

#include "engines/llama/scheduler_fixture.h"

namespace craton::engines::llama {
namespace {

/// As with M-RoPE: an image takes fewer positions than cells.
Asked seeing(int seed, int cells = 20, int positions = 5) {
  Prompt prompt = prompt_with_image(prompt_of(6, seed), table_image(cells, positions, seed),
                                    prompt_of(3, seed + 1));
  prompt.add(table_image(cells / 2, positions, seed + 7));
  prompt.add(prompt_of(9, seed + 2));
  return {.prompt = std::move(prompt), .tokens_max = 60};
}

TEST_F(SchedulerTest, SeesImagesAmongTheTokensOfAPrompt) {
  Prompt image_first(std::vector<Token>{});
  image_first.add(table_image(30, 30));
  image_first.add(prompt_of(1, 1));
  Prompt side_by_side = prompt_with_image(prompt_of(100, 3), table_image(4, 2, 1), {});
  side_by_side.add(table_image(7, 3, 2));
  side_by_side.add(prompt_of(80, 4));
  const Asked all[] = {
      seeing(1), seeing(2, 300, 300), {.prompt = image_first}, {.prompt = side_by_side}};
  for (const Asked& asked : all) {
    Caller& caller = ask(asked);
    run();
    EXPECT_EQ(text_of(caller), read_off(asked));
  }
  EXPECT_EQ(decoder.images, 2 + 2 + 1 + 2) << "each once";
}

TEST_F(SchedulerTest, AnswersWithAndWithoutImagesBesideEachOther) {
  std::vector<Asked> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(i % 3 == 0 ? seeing(i) : Asked{.prompt = prompt_of(1 + i * 13 % 150, i)});
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, LetsRunningAnswersGoOnBetweenImages) {
  Caller& running = ask({.prompt = std::vector<Token>{9, 9, 9}, .tokens_max = 1000});
  step();
  Prompt many;
  for (int i = 0; i < 10; ++i) many.add(table_image(5, 5, i));
  many.add(prompt_of(2, 2));
  ask({.prompt = many});
  for (int images = 0; images < 10 && !running.builder.complete(); ++images) {
    const std::size_t batches = decoder.batches.size();
    step();
    step();
    EXPECT_EQ(decoder.images, images + 1);
    EXPECT_EQ(decoder.batches.size(), batches + 1);
  }
}

TEST_F(SchedulerTest, ComputesImagesAgainAfterAnEviction) {
  options.cells = decoder.cells = 160;
  std::vector<Asked> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(seeing(i));
    all.back().tokens_max = 100;
    all.back().context_tokens = 160;
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_GT(decoder.images, 16) << "some were evicted, or the test shows nothing";
}

TEST_F(SchedulerTest, MakesRoomForAnImageWhereTheDecoderHasFewerCellsThanItSaid) {
  decoder.cells = 130;
  std::vector<Asked> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(seeing(i));
    ask(all.back());
  }
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
}

TEST_F(SchedulerTest, KeepsItsImagesThroughFailedBatches) {
  decoder.batch_works = 2;
  const Asked all[] = {seeing(1), {.prompt = prompt_of(30, 9)}, seeing(2)};
  for (const Asked& asked : all) ask(asked);
  run();
  for (std::size_t i = 0; i < std::size(all); ++i)
    EXPECT_EQ(text_of(callers[i]), read_off(all[i])) << i;
  EXPECT_EQ(decoder.images, 4) << "what is computed stays";
}

TEST_F(SchedulerTest, FailsOnlyTheRequestWhoseImageCannotBeComputed) {
  ImagePiece broken = table_image(6, 6);
  broken.embeddings[3] = broken_pixel;
  const Asked good = seeing(1);
  Caller& before = ask(good);
  Caller& culprit = ask({.prompt = prompt_with_image(prompt_of(4, 1), broken, prompt_of(4, 2))});
  Caller& after = ask(good);
  run();
  EXPECT_EQ(text_of(before), read_off(good));
  EXPECT_EQ(failure_of(culprit), ErrorCode::model_error);
  EXPECT_EQ(text_of(after), read_off(good));
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, FailsWhatHasAnImageThatDoesNotEvenFitAlone) {
  decoder.cells = 50;
  Caller& caller =
      ask({.prompt = prompt_with_image(prompt_of(4, 1), table_image(60, 8), prompt_of(4, 2))});
  run();
  EXPECT_EQ(failure_of(caller), ErrorCode::model_error);
  EXPECT_EQ(scheduler().pinned_cells(), 0);
}

TEST_F(SchedulerTest, CountsTheCellsOfImagesAsTokens) {
  const Asked asked = seeing(1, 20, 5);
  EXPECT_EQ(answered(asked, decoder).usage.input_tokens, 6 + 20 + 3 + 10 + 9);
  Asked narrow = long_answer(100);
  narrow.prompt.add(table_image(20, 5));
  narrow.prompt.add(std::vector<Token>{1});
  narrow.context_tokens = 4 + 20 + 1 + 3;
  const Answer answer = answered(narrow, decoder);
  EXPECT_EQ(answer.text(), read_off(narrow));
  EXPECT_LE(answer.usage.output_tokens, 3);
}

}  // namespace
}  // namespace craton::engines::llama
