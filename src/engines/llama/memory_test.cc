#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engines/llama/llama_engine.h"
#include "engines/llama/test_folder.h"
#include "engines/llama/test_models.h"

namespace craton::engines::llama {
namespace {

TEST(MemoryNeeded, IsOfWeightsAndCells) {
  const std::string path = path_of(smollm);
  const std::uint64_t weights = std::filesystem::file_size(path);
  const std::uint64_t small = *memory_needed({.path = path, .context_tokens = 256});
  EXPECT_GT(small, weights);
  // 30 layers, 3 heads of keys and of values, 64 numbers each, two bytes a number.
  constexpr std::uint64_t cell = 30 * 3 * (64 + 64) * 2;
  EXPECT_EQ(*memory_needed({.path = path, .context_tokens = 1280}) - small, 1024 * cell);
  EXPECT_EQ(*memory_needed({.path = path, .context_tokens = 256, .kv_cells = 1280}) - small,
            1024 * cell);
  EXPECT_EQ(*memory_needed({.path = path, .context_tokens = 1 << 20}),
            *memory_needed({.path = path, .context_tokens = 8192}))
      << "no more than the model was made for";
  const auto of_type = [&](KvType type) {
    return *memory_needed({.path = path, .context_tokens = 8192, .kv_type = type}) - small +
           256 * cell;
  };
  EXPECT_EQ(of_type(KvType::q8_0) * 32, of_type(KvType::f16) * 17);
  EXPECT_LT(of_type(KvType::q4_0), of_type(KvType::q8_0));
  EXPECT_EQ(memory_needed({.path = "none.gguf"}).error().code, ErrorCode::validation);
}

TEST(MemoryNeeded, CountsAllPartsOfASplitModel) {
  const Folder folder;
  const auto first = folder / "model-00001-of-00003.gguf";
  std::filesystem::copy_file(path_of(smollm), first);
  const std::uint64_t alone = *memory_needed({.path = first.string(), .context_tokens = 256});
  std::ofstream(folder / "model-00002-of-00003.gguf") << std::string(1000, 'x');
  std::ofstream(folder / "model-00003-of-00003.gguf") << std::string(234, 'x');
  EXPECT_EQ(*memory_needed({.path = first.string(), .context_tokens = 256}) - alone, 1234u);
}

}  // namespace
}  // namespace craton::engines::llama
