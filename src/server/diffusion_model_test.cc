#include "server/diffusion_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace craton::server {
namespace {

namespace fs = std::filesystem;

class DiffusionModel : public testing::Test {
 protected:
  DiffusionModel() {
    std::string pattern = (fs::temp_directory_path() / "craton-weights-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~DiffusionModel() override { fs::remove_all(folder_); }

  std::string file(const char* name, std::string_view bytes = "x") const {
    std::ofstream(folder_ / name) << bytes;
    return folder_ / name;
  }
  /// A safetensors file that has the tensor.
  std::string weights(const char* name, const std::string& tensor) const {
    const std::string header =
        "{\"" + tensor + R"(":{"dtype":"F16","shape":[0],"data_offsets":[0,0]}})";
    std::string size(8, '\0');
    size[0] = static_cast<char>(header.size());
    return file(name, size + header);
  }

  fs::path folder_;
  const models::Store store_{"/there/is/no/store"};
};

TEST_F(DiffusionModel, IsKnownByItsFileOrByWhatIsSaidOfIt) {
  EXPECT_TRUE(draws(store_, {.file = weights("sd.safetensors", "input_blocks.0.0.weight")}));
  EXPECT_FALSE(draws(store_, {.file = weights("bert.safetensors", "embeddings.word")}));
  EXPECT_FALSE(draws(store_, {.file = "none"}));
  EXPECT_TRUE(draws(store_, {.file = file("sd.ckpt"), .kind = ModelKind::diffusion}));
  EXPECT_TRUE(draws(store_, {.file = "flux", .diffusion_model = file("flux.gguf")}));
}

TEST_F(DiffusionModel, IsMadeOfWhatIsSaidOfIt) {
  const std::string path = file("sd15.ckpt");
  const auto options = diffusion_options(store_, {"sd",
                                                  {.file = path,
                                                   .threads = 3,
                                                   .queue = 5,
                                                   .vae = file("vae"),
                                                   .steps = 30,
                                                   .sampler = "K_EULER"}});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->path, path);
  EXPECT_EQ(options->name, "sd15");
  EXPECT_EQ(options->vae, folder_ / "vae");
  EXPECT_EQ(options->threads, 3);
  EXPECT_EQ(options->waiting_max, 5);
  EXPECT_EQ(options->steps, 30);
  EXPECT_EQ(options->sampler, "K_EULER");
}

TEST_F(DiffusionModel, OfSeveralFilesIsCalledAsItIsConfigured) {
  const auto options = diffusion_options(
      store_, {"flux", {.file = "flux", .diffusion_model = file("f.gguf"), .t5xxl = file("t5")}});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->name, "flux");
  EXPECT_EQ(options->path, "");
  EXPECT_EQ(options->diffusion_model, folder_ / "f.gguf");
}

TEST_F(DiffusionModel, NamesTheFileThatIsMissing) {
  const auto vae = diffusion_options(store_, {"sd", {.file = file("a.ckpt"), .vae = "/no/vae"}});
  ASSERT_FALSE(vae);
  EXPECT_THAT(vae.error().message, testing::HasSubstr("weights file /no/vae cannot be read"));
  const auto none = diffusion_options(store_, {"sd", {.file = "/no/sd.gguf"}});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, testing::HasSubstr("there is no file /no/sd.gguf"));
}

}  // namespace
}  // namespace craton::server
