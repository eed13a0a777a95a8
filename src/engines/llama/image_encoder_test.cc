#include "engines/llama/image_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engines/llama/llama_log.h"
#include "engines/llama/test_folder.h"
#include "engines/llama/test_images.h"
#include "engines/llama/tiny_vision_model.h"

extern "C" void __lsan_disable() __attribute__((weak));
extern "C" void __lsan_enable() __attribute__((weak));

namespace craton::engines::llama {
namespace {

/// mtmd does not free what it had loaded when it then finds that it does not fit the model. That
/// happens once, when a server starts.
class LeaksOfFailedLoads {
 public:
  LeaksOfFailedLoads() {
    if (__lsan_disable) __lsan_disable();
  }
  ~LeaksOfFailedLoads() {
    if (__lsan_enable) __lsan_enable();
  }
};

struct FreeModel {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};

/// A language model, a context of it, and what is asked of both.
class Language {
 public:
  Language(const Folder& folder, const std::string& architecture,
           const std::vector<std::string>& markers = {}, int batch = batch_tokens) {
    adopt_llama_log();
    const auto path = folder / "language.gguf";
    write_tiny_language_model(path, architecture, markers);
    model_.reset(llama_model_load_from_file(path.c_str(), llama_model_default_params()));
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 2048;
    params.n_batch = params.n_ubatch = static_cast<std::uint32_t>(batch);
    params.n_seq_max = 2;
    params.n_threads = params.n_threads_batch = 1;
    params.kv_unified = true;
    if (model_) context_.reset(llama_init_from_model(model_.get(), params));
    if (!context_) throw std::runtime_error("the tiny language model cannot be loaded");
  }

  const llama_model& model() const { return *model_; }
  llama_context& context() { return *context_; }

  /// What follows `tokens` at `position`, as llama.cpp's logits.
  std::vector<float> after(std::vector<Token> tokens, int position, int sequence) {
    llama_batch batch = llama_batch_init(static_cast<int>(tokens.size()), 0, 1);
    for (const Token token : tokens) {
      const int i = batch.n_tokens++;
      batch.token[i] = token;
      batch.pos[i] = position + i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = sequence;
      batch.logits[i] = i + 1 == static_cast<int>(tokens.size());
    }
    const int result = llama_decode(context_.get(), batch);
    llama_batch_free(batch);
    if (result != 0) throw std::runtime_error("llama_decode: " + std::to_string(result));
    const float* logits = llama_get_logits_ith(context_.get(), -1);
    return {logits, logits + llama_vocab_n_tokens(llama_model_get_vocab(model_.get()))};
  }

  void forget(int sequence, int position = -1) {
    llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, position, -1);
  }

  static constexpr int batch_tokens = 64;

 private:
  std::unique_ptr<llama_model, FreeModel> model_;
  std::unique_ptr<llama_context, FreeContext> context_;
};

bool all_finite(const std::vector<float>& numbers) {
  return std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); });
}

/// Infinite when one of them is broken.
float distance(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size() || !all_finite(a) || !all_finite(b)) return INFINITY;
  float most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(a[i] - b[i]));
  }
  return most;
}

/// A language model that sees.
struct Seeing {
  Seeing(const std::string& architecture, const std::string& projector,
         const std::vector<std::string>& markers = {},
         ImageEncoderOptions options = {.batch_tokens = Language::batch_tokens})
      : language(folder, architecture, markers, options.batch_tokens) {
    options.path = (folder / "projector.gguf").string();
    write_tiny_projector(options.path, projector);
    auto loaded = ImageEncoder::load(options, language.model());
    if (!loaded) throw std::runtime_error(loaded.error().message);
    encoder = std::move(*loaded);
  }

  /// The logits after "ab", the image, "c".
  std::vector<float> look_at(const std::string& image, int sequence = 0) {
    const ImagePieces pieces = encoder->encode(image).value();
    language.after({256}, 0, sequence);
    int position = 1;
    for (const ImagePiece& piece : pieces.pieces) {
      if (!piece.tokens.empty()) {
        language.after(piece.tokens, position, sequence);
      } else {
        EXPECT_TRUE(all_finite(piece.embeddings));
        EXPECT_EQ(encoder->decode(language.context(), piece, position, sequence),
                  DecodeStatus::done);
      }
      position += piece.positions;
    }
    return language.after({'c'}, position, sequence);
  }

  Folder folder;
  Language language;
  std::unique_ptr<ImageEncoder> encoder;
};

struct Case {
  const char* name;
  const char* architecture;
  const char* projector;
  std::vector<std::string> markers;
};

const Case cases[] = {
    {"gemma3", "llama", "gemma3", {"<start_of_image>", "<end_of_image>"}},
    {"gemma3_markers_as_text", "llama", "gemma3", {}},
    {"pixtral", "llama", "pixtral", {"[IMG_END]"}},
    {"qwen2vl", "qwen2vl", "qwen2vl_merger", {"<|vision_start|>", "<|vision_end|>"}},
    {"idefics3", "llama", "idefics3", {"<fake_token_around_image>", "<global-img>", "\n\n", "\n"}},
};

class Projector : public testing::TestWithParam<Case> {
 protected:
  Seeing seeing{GetParam().architecture, GetParam().projector, GetParam().markers};
};

TEST_P(Projector, MeasuresWhatItEncodes) {
  for (const auto& [width, height] : {std::pair{33, 64}, {64, 64}, {300, 20}}) {
    const std::string image = test_png(width, height);
    const ImagePieces measured = seeing.encoder->measure(image).value();
    const ImagePieces encoded = seeing.encoder->encode(image).value();
    ASSERT_EQ(measured.pieces.size(), encoded.pieces.size());
    EXPECT_EQ(measured.cells(), encoded.cells());
    EXPECT_EQ(measured.positions(), encoded.positions());
    for (std::size_t i = 0; i < encoded.pieces.size(); ++i) {
      const ImagePiece& piece = encoded.pieces[i];
      EXPECT_EQ(piece.tokens, measured.pieces[i].tokens);
      EXPECT_EQ(piece.cells, measured.pieces[i].cells);
      EXPECT_TRUE(measured.pieces[i].embeddings.empty());
      if (!piece.tokens.empty()) continue;
      EXPECT_GT(piece.cells, 0);
      EXPECT_EQ(piece.embeddings.size(), static_cast<std::size_t>(piece.cells) * tiny_width);
      EXPECT_TRUE(all_finite(piece.embeddings));
    }
  }
}

TEST_P(Projector, WhatFollowsDependsOnTheImage) {
  const std::string image = test_png(70, 50, 1);
  const std::vector<float> seen = seeing.look_at(image);
  seeing.language.forget(0);
  EXPECT_LT(distance(seen, seeing.look_at(image)), 1e-3F) << "the same image, again";
  EXPECT_LT(distance(seen, seeing.look_at(image, 1)), 1e-3F) << "beside another sequence";
  seeing.language.forget(0);
  EXPECT_GT(distance(seen, seeing.look_at(test_png(70, 50, 2))), 1e-3F) << "another image";
  seeing.language.forget(0);
  EXPECT_GT(distance(seen, seeing.language.after({256, 'c'}, 0, 0)), 1e-3F) << "no image";
}

TEST_P(Projector, TwoImagesFollowEachOther) {
  seeing.look_at(test_png(64, 64, 1));
  const ImagePieces pieces = seeing.encoder->encode(test_png(40, 80, 3)).value();
  int position = 2 + seeing.encoder->measure(test_png(64, 64, 1)).value().positions();
  for (const ImagePiece& piece : pieces.pieces) {
    if (piece.tokens.empty()) {
      EXPECT_EQ(seeing.encoder->decode(seeing.language.context(), piece, position, 0),
                DecodeStatus::done);
    } else {
      seeing.language.after(piece.tokens, position, 0);
    }
    position += piece.positions;
  }
  EXPECT_TRUE(all_finite(seeing.language.after({'c'}, position, 0)));
}

// What mtmd, stb_image and ggml promise themselves is kept whatever a caller sends: sizes that
// scaling takes to nothing, to one row of patches, past a limit.
TEST_P(Projector, ImagesOfAllShapesAreTaken) {
  const std::pair<int, int> shapes[] = {{1, 1},    {1, 2},    {1, 200},  {200, 1},
                                        {2, 400},  {3, 3},    {31, 33},  {8, 1600},
                                        {1600, 8}, {1000, 5}, {640, 480}};
  for (const auto& [width, height] : shapes) {
    const auto pieces = seeing.encoder->encode(test_png(width, height));
    if (pieces) {
      EXPECT_GT(pieces->cells(), 0) << width << " x " << height;
    } else {
      EXPECT_EQ(pieces.error().code, ErrorCode::validation) << width << " x " << height;
    }
  }
  for (const auto& [width, height] : {std::pair{8000, 8000}, {8000, 40}, {40, 8000}}) {
    const auto measured = seeing.encoder->measure(png_of(width, height, PngColor::gray, ""));
    ASSERT_TRUE(measured) << measured.error().message;
    EXPECT_GT(measured->cells(), 0);
  }
}

TEST_P(Projector, WhatIsNoImageIsTheCallersMistake) {
  for (const std::string& bytes : {std::string("text"), test_png(64, 64).substr(0, 200)}) {
    const auto pieces = seeing.encoder->encode(bytes);
    ASSERT_FALSE(pieces);
    EXPECT_EQ(pieces.error().code, ErrorCode::validation);
    EXPECT_EQ(pieces.error().message, "Could not process image");
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Projector, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ImageEncoder, MRopeTakesFewerPositionsThanCells) {
  const Seeing seeing("qwen2vl", "qwen2vl_merger", {"<|vision_start|>", "<|vision_end|>"});
  const ImagePieces pieces = seeing.encoder->measure(test_png(160, 96)).value();
  ASSERT_EQ(pieces.pieces.size(), 3u);
  EXPECT_EQ(pieces.pieces[0].tokens, std::vector<Token>{258});
  EXPECT_EQ(pieces.pieces[1].cells, 10 * 6);
  EXPECT_EQ(pieces.pieces[1].positions, 10) << "the longer side";
  EXPECT_EQ(pieces.pieces[2].tokens, std::vector<Token>{259});
}

TEST(ImageEncoder, PixtralHasOneEmbeddingAPatchAndOneBetweenRows) {
  const Seeing seeing("llama", "pixtral", {"[IMG_END]"});
  const ImagePieces pieces = seeing.encoder->measure(test_png(80, 48)).value();
  ASSERT_EQ(pieces.pieces.size(), 2u);
  EXPECT_EQ(pieces.pieces[0].cells, 10 * 6 + 5);
  EXPECT_EQ(pieces.pieces[0].positions, pieces.pieces[0].cells);
}

TEST(ImageEncoder, WhatMustBeSeenAtOnceAndDoesNotFitIsRefused) {
  try {
    const Seeing seeing("llama", "gemma3", {"<start_of_image>", "<end_of_image>"},
                        {.batch_tokens = 3});
    FAIL() << "loaded";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "The model wants 4 tokens of an image at once, and is served with batches of 3.");
  }
}

TEST(ImageEncoder, BatchesOfAnySizeGiveTheSame) {
  const std::string image = test_png(160, 160);  // 419 cells
  Seeing whole("llama", "pixtral", {"[IMG_END]"}, {.batch_tokens = 512});
  const std::vector<float> expected = whole.look_at(image);
  for (const int batch : {64, 100}) {
    Seeing parts("llama", "pixtral", {"[IMG_END]"}, {.batch_tokens = batch});
    EXPECT_LT(distance(expected, parts.look_at(image)), 1e-2F) << batch;
  }
}

TEST(ImageEncoder, MayBeAskedFromManyThreads) {
  const Seeing seeing("llama", "pixtral", {"[IMG_END]"});
  std::vector<std::vector<float>> embeddings(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    threads.emplace_back([&seeing, &embeddings, i] {
      const std::string image = test_png(64 + 8 * static_cast<unsigned>(i % 2), 64);
      EXPECT_GT(seeing.encoder->measure(image).value().cells(), 0);
      embeddings[i] = seeing.encoder->encode(image).value().pieces[0].embeddings;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(distance(embeddings[0], embeddings[2]), 1e-4F);
  EXPECT_LT(distance(embeddings[1], embeddings[3]), 1e-4F);
  EXPECT_NE(embeddings[0].size(), embeddings[1].size());
}

TEST(ImageEncoder, WhenThereAreNoCellsLeftItSaysSo) {
  Seeing seeing("llama", "pixtral", {"[IMG_END]"});
  const ImagePieces pieces = seeing.encoder->encode(test_png(160, 160)).value();
  int position = 0;
  DecodeStatus status = DecodeStatus::done;
  for (int i = 0; i < 6 && status == DecodeStatus::done; ++i, position += pieces.pieces[0].cells)
    status = seeing.encoder->decode(seeing.language.context(), pieces.pieces[0], position, 0);
  EXPECT_EQ(status, DecodeStatus::no_room) << "2048 cells, 419 an image";
  seeing.language.forget(0);
  EXPECT_EQ(seeing.encoder->decode(seeing.language.context(), pieces.pieces[0], 0, 0),
            DecodeStatus::done);
}

TEST(ImageEncoder, TheNumberOfTokensCanBeBounded) {
  const Seeing seeing("llama", "pixtral", {"[IMG_END]"},
                      {.batch_tokens = Language::batch_tokens, .tokens_max = 40});
  EXPECT_LE(seeing.encoder->measure(test_png(800, 600)).value().cells(), 40 + 10);
}

std::string load_failure(const Folder& folder, const std::string& path) {
  const Language language(folder, "llama");
  ImageEncoderOptions options;
  options.path = path;
  const LeaksOfFailedLoads expected;
  const auto loaded = ImageEncoder::load(options, language.model());
  if (loaded) return "loaded";
  EXPECT_EQ(loaded.error().code, ErrorCode::model_error);
  return loaded.error().message;
}

TEST(ImageEncoder, FilesThatAreNoProjectorOfTheModelAreNamed) {
  const Folder folder;
  const std::string path = (folder / "projector.gguf").string();
  const auto names_it = testing::HasSubstr(path);
  EXPECT_THAT(load_failure(folder, path), names_it) << "missing";
  std::ofstream(path) << "no GGUF";
  EXPECT_THAT(load_failure(folder, path), names_it) << "something else";
  write_tiny_projector(path, "gemma3", 64);
  EXPECT_THAT(load_failure(folder, path),
              testing::AllOf(names_it, testing::HasSubstr("n_embd = 64")));
  write_tiny_projector(path, "idefics3");
  EXPECT_THAT(load_failure(folder, path),
              testing::HasSubstr("tokens around an image that the model "
                                 "does not have"));
  write_tiny_language_model(path, "llama");
  EXPECT_THAT(load_failure(folder, path), names_it) << "a language model";
  write_tiny_projector(path, "gemma3");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(load_failure(folder, path), names_it) << "cut";
}

}  // namespace
}  // namespace craton::engines::llama
